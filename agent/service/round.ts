import { isDomainError } from '@cardwright/protocol';
import { deliverOutcomes } from '../commands/contact.ts';
import { lookForRenewals } from '../renewal/look.ts';
import type { AgentTask } from '../tasks/agent-task.ts';
import { deliverResults, execute, forgetCancelled } from '../tasks/execute.ts';
import { handlerOf } from '../tasks/handlers.ts';
import { isElsewhere } from '../tasks/replace-key.ts';
import { isPassing, readStore, type TaskWork } from '../tasks/task.ts';
import { readCards } from './readings.ts';

/** As many cards as the server takes in one check-in. */
const CARDS_A_REPORT = 50;

/** When each card's renewals were looked for, by its id. */
export type Looked = Map<string, number>;
const LOOK_MS = 20 * 60 * 60 * 1000;

export interface Round {
  /** As the server said; null if it did not. */
  readonly nextSeconds: number | null;
  /** Codes of tasks that have to be tried again. */
  readonly unfinished: readonly string[];
}

/**
 * One contact with one server: what it was not told yet, the state of each card, and the tasks that it gives, one after
 * another. Nothing is held while the network is waited for. Throws what keeps the server from being reached.
 */
export async function round(work: TaskWork, stopping: AbortSignal, looked: Looked): Promise<Round> {
  const { context, storeDirectory, serverUrl } = work;
  await deliverResults(work);
  await deliverOutcomes(context, readStore(work), storeDirectory);
  const { tasks, nextSeconds } = await checkIn(work);
  await forgetCancelled(work, tasks);
  const unfinished: string[] = [];
  for (const task of tasks) {
    if (stopping.aborted) break;
    try {
      await execute(work, task, handlerOf(task));
    } catch (error) {
      if (!isDomainError(error) || !isPassing(error)) throw error;
      work.log('task-postponed', { kind: task.kind, task: task.taskId, card: task.cardSerial, code: error.code });
      // A card that is in no reader just now is looked for at the next check-in; nothing is wrong with either side.
      if (!isElsewhere(error)) unfinished.push(error.code);
      // A server that is away is so for the other tasks too.
      if (error.code.startsWith('server-')) break;
    }
  }
  if (!stopping.aborted) await renewDue(work, looked);
  work.log('round-done', { server: serverUrl, tasks: tasks.length, unfinished: unfinished.length });
  return { nextSeconds, unfinished };
}

/** The server is asked for renewals about once a day; one that is under way goes on at every round. */
async function renewDue(work: TaskWork, looked: Looked): Promise<void> {
  const { cards, renewals } = readStore(work).document;
  const now = work.context.now().getTime();
  for (const card of cards) {
    if (card.server !== work.serverUrl || card.state !== 'active') continue;
    const last = looked.get(card.cardId) ?? Number.NEGATIVE_INFINITY;
    const underWay = renewals.some(({ cardId }) => cardId === card.cardId);
    if (!underWay && Math.abs(now - last) < LOOK_MS) continue;
    try {
      await lookForRenewals(work, card);
      looked.set(card.cardId, now);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      // Renewals have weeks: whatever stands in the way, the check-in was done.
      work.log('renewal-postponed', { card: card.serial, code: error.code });
    }
  }
}

async function checkIn(work: TaskWork): Promise<{ tasks: AgentTask[]; nextSeconds: number | null }> {
  const { cards } = readStore(work).document;
  const { reports, tpm, problem } = await readCards(
    work,
    cards.filter(({ server }) => server === work.serverUrl),
  );
  const tasks = new Map<string, AgentTask>();
  let nextSeconds: number | null = null;
  for (let from = 0; from === 0 || from < reports.length; from += CARDS_A_REPORT) {
    const answer = await work.server.checkIn({
      cards: reports.slice(from, from + CARDS_A_REPORT),
      agentVersion: work.context.service.agentVersion,
      ...(tpm === null ? {} : { tpm }),
    });
    for (const task of answer.tasks) tasks.set(task.taskId, task);
    nextSeconds = answer.nextCheckInSeconds;
  }
  const blocked = reports.filter((report) => report.blocked).length;
  work.log('check-in', { server: work.serverUrl, cards: reports.length, blocked, tasks: tasks.size, tpm: problem });
  return { tasks: [...tasks.values()], nextSeconds };
}
