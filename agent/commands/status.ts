import { isDomainError } from '@cardwright/protocol';
import type { CardMaker, Tries } from '../card/port.ts';
import { initialPinOf } from '../store/card-record.ts';
import type { KnownServer, StoredCard } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import { table } from '../terminal/printable.ts';
import { openCard } from './choose-card.ts';
import { type Context, command, deviceOptions, jsonOption } from './command.ts';
import { deliverOutcomes } from './contact.ts';
import { describeUnfinished } from './list.ts';
import { lockText } from './lock-text.ts';

/** The server is asked in passing: a status must not hang on it. */
const SERVER_TIMEOUT_MS = 5_000;
/** As many as the server takes in one check-in. */
const CARDS_A_REPORT = 50;

export const statusCommand = command({
  name: 'status',
  summary: 'show tries left, whether a card is blocked, and its state at the server',
  about:
    'Asks the TPM for the tries left, and reports them to the server of each card (a check-in), with the outcome of an ' +
    'online unblock that the server could not be told of before. A server that is not reached is no error: its state ' +
    'then shows as unknown.',
  options: { ...deviceOptions, ...jsonOption },
  examples: ['cardwright-agent status', 'cardwright-agent status --json'],
  run: async (context, options) => {
    const store = context.readStore(options.store);
    const { cards: stored, enrolments } = store.document;
    const { lock, onDevice } =
      stored.length === 0
        ? { lock: null, onDevice: [] }
        : await context.useCards(options.tpm, async (cards) => ({
            lock: await cards.lock(),
            onDevice: await readTries(store, cards, stored),
          }));
    await deliverOutcomes(context, store, options.store, SERVER_TIMEOUT_MS);
    const atServer = await checkIn(context, store, onDevice);
    const cards = onDevice.map(({ card, tries, problem }) => ({
      cardId: card.cardId,
      serial: card.serial,
      person: card.person,
      triesLeft: tries?.left ?? null,
      pinLimit: tries?.limit ?? card.pinLimit,
      blocked: tries === null ? null : tries.left === 0,
      initialPin: initialPinOf(card).initialPin ?? null,
      problem,
      server: card.server,
      serverState: atServer.states.get(card.cardId) ?? null,
      serverProblem: atServer.problems.get(card.server) ?? null,
    }));
    const unfinished = enrolments.map(describeUnfinished);
    if (options.json) {
      context.output.print(JSON.stringify({ hardwareLock: lock, cards, unfinished }, null, 2));
      return;
    }
    if (cards.length === 0) context.output.print('There is no card in this store.');
    else {
      const rows = cards.map((card) => [
        card.serial,
        card.person.displayName,
        card.triesLeft === null ? `unknown (${card.problem})` : `${card.triesLeft} of ${card.pinLimit}`,
        card.blocked === null ? '?' : card.blocked ? 'BLOCKED' : 'no',
        card.serverState ?? `unknown (${card.serverProblem ?? 'the server does not know this card'})`,
      ]);
      context.output.print(table([['CARD', 'PERSON', 'TRIES LEFT', 'BLOCKED', 'AT THE SERVER'], ...rows]));
    }
    for (const { serial, initialPin } of cards) {
      if (initialPin === 'pending')
        context.output.note(`Card ${serial} has its first PIN sealed. Run hand-over with the hand-over code.`);
    }
    if (lock?.locked === true) context.output.note(lockText(lock));
    for (const { serial, server, step } of unfinished) {
      context.output.note(
        `Unfinished: ${serial ?? 'an enrolment'} at ${server} (${step}). Run enrol with its code again.`,
      );
    }
  },
});

interface OnDevice {
  readonly card: StoredCard;
  readonly tries: Tries | null;
  /** The code of what is wrong with the card. */
  readonly problem: string | null;
}

async function readTries(store: Store, cards: CardMaker, stored: readonly StoredCard[]): Promise<OnDevice[]> {
  const result: OnDevice[] = [];
  for (const card of stored) {
    const open = await openCard(store, cards, card);
    try {
      result.push({ card, tries: await open.tries(), problem: null });
    } catch (error) {
      // One card that is gone or altered must not hide the others.
      if (!isDomainError(error) || !error.code.startsWith('card-')) throw error;
      result.push({ card, tries: null, problem: error.code });
    }
  }
  return result;
}

async function checkIn(context: Context, store: Store, onDevice: readonly OnDevice[]) {
  const states = new Map<string, string>();
  const problems = new Map<string, string>();
  await Promise.all(
    store.document.servers.map(async (server) => {
      const reports = onDevice.flatMap(({ card, tries }) =>
        card.server === server.url && tries !== null
          ? [{ cardId: card.cardId, triesLeft: tries.left, blocked: tries.left === 0, ...initialPinOf(card) }]
          : [],
      );
      if (reports.length === 0) return;
      try {
        for (let from = 0; from < reports.length; from += CARDS_A_REPORT) {
          const answer = await asDevice(context, server).checkIn({
            cards: reports.slice(from, from + CARDS_A_REPORT),
          });
          for (const { cardId, state } of answer.cards) states.set(cardId, state);
        }
      } catch (error) {
        if (!isDomainError(error)) throw error;
        problems.set(server.url, error.code);
      }
    }),
  );
  return { states, problems };
}

const asDevice = (context: Context, known: KnownServer) =>
  context.server(known, { timeoutMs: SERVER_TIMEOUT_MS, attempts: 1 });
