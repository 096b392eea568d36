import { randomBytes } from 'node:crypto';
import type { System } from '../launcher/system.ts';
import { registerBenchCard } from './card.ts';
import { startFloor } from './floor.ts';
import { type LoadRequest, type LoadResult, runLoad } from './load.ts';
import type { Row } from './table.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;

/**
 * Unblock responses a second through the whole API: token checked, session and card read, the vault asked over its socket
 * (which notes the use durably before it answers), the response and the audit event written durably. The floor is a bare
 * Node and pg route (bare-route.ts). Both in turn, three times; the middle one counts. Sessions are opened beforehand.
 */
export async function measureUnblockResponses(system: System, requestsPerRound: number): Promise<Row> {
  const port = Number(new URL(system.url).port);
  const authorization = { authorization: `Bearer ${system.tokens.helpdesk}` };
  const cardId = await registerBenchCard(system);
  const floor = await startFloor(system.database.ownerUrl);

  const openSessions = async (count: number): Promise<string[]> => {
    const body = JSON.stringify({ verification: { method: 'video', evidence: 'seen' }, reason: 'benchmark' });
    const path = `/api/v1/cards/${cardId}/unblock-sessions`;
    const ids: string[] = [];
    await runLoad({
      ...{ port, connections: CONNECTIONS, expectedStatus: 201 },
      requests: Array.from({ length: count }, () => ({ path, headers: authorization, body })),
      onBody: (text) => ids.push((JSON.parse(text) as { id: string }).id),
    });
    return ids;
  };
  const ours = async (count: number): Promise<LoadResult> => {
    const requests: LoadRequest[] = (await openSessions(count)).map((id) => ({
      path: `/api/v1/unblock-sessions/${id}/responses`,
      headers: authorization,
      body: JSON.stringify({ challenge: randomBytes(16).toString('hex') }),
    }));
    return runLoad({ port, connections: CONNECTIONS, expectedStatus: 201, requests });
  };
  const bare = (count: number): Promise<LoadResult> => {
    const requests = Array.from({ length: count }, (_, index) => ({
      path: '/responses',
      headers: {},
      body: JSON.stringify({ id: floor.ids[index % floor.ids.length], challenge: randomBytes(16).toString('hex') }),
    }));
    return runLoad({ port: floor.port, connections: CONNECTIONS, expectedStatus: 201, requests });
  };

  try {
    await ours(Math.ceil(requestsPerRound / 3)); // warm both up: compiled code, connections, plans
    await bare(Math.ceil(requestsPerRound / 3));
    const [ourRounds, bareRounds]: [LoadResult[], LoadResult[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      ourRounds.push(await ours(requestsPerRound));
      bareRounds.push(await bare(requestsPerRound));
    }
    const [mine, theirs] = [middle(ourRounds), middle(bareRounds)];
    return {
      what: `unblock responses, ${CONNECTIONS} connections`,
      ours: `${Math.round(mine.perSecond)}/s, p99 ${mine.p99.toFixed(0)} ms`,
      floor: `${Math.round(theirs.perSecond)}/s, p99 ${theirs.p99.toFixed(0)} ms (bare Node + pg route)`,
      ratio: mine.perSecond / theirs.perSecond,
      aim: 0.5,
    };
  } finally {
    await floor.stop();
  }
}

function middle(rounds: readonly LoadResult[]): LoadResult {
  const sorted = rounds.toSorted((a, b) => a.perSecond - b.perSecond);
  return sorted[Math.floor(sorted.length / 2)] as LoadResult;
}
