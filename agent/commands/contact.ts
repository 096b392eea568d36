import { isDomainError } from '@cardwright/protocol';
import type { CardReport } from '../server/port.ts';
import { initialPinOf } from '../store/card-record.ts';
import type { KnownServer, StoredCard, UnblockOutcome } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import type { Context } from './command.ts';

/** What the server hears in passing: it never fails a command, and a command never waits for it longer than this. */
const PASSING_MS = 800;

const passing = (context: Context, known: KnownServer, timeoutMs = PASSING_MS) =>
  context.server(known, { timeoutMs, attempts: 1 });

/** Runs a card's work; when the card says that it is blocked, the server is told before the error goes on. */
export async function tellingOfBlock<T>(
  context: Context,
  store: Store,
  card: StoredCard,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBlocked(error)) await checkInBriefly(context, store, card, { triesLeft: 0, blocked: true });
    throw error;
  }
}

const isBlocked = (error: unknown): boolean =>
  isDomainError(error) &&
  (error.code === 'card-blocked' || (error.code === 'pin-wrong' && error.data?.triesLeft === 0));

/** Best effort: a server that is away hears of it at the next check-in (`status`). */
export async function checkInBriefly(
  context: Context,
  store: Store,
  card: StoredCard,
  report: Omit<CardReport, 'cardId'>,
): Promise<void> {
  const known = store.server(card.server);
  if (known === undefined) return;
  try {
    await passing(context, known).checkIn({ cards: [{ cardId: card.cardId, ...report, ...initialPinOf(card) }] });
  } catch (error) {
    if (!isDomainError(error)) throw error;
  }
}

/** Kept before the server is told, so that an outcome is not lost with this process. False where it could not be kept. */
export async function keepOutcome(
  context: Context,
  directory: string | undefined,
  outcome: UnblockOutcome,
): Promise<boolean> {
  return changed(context, directory, (store) => store.putOutcome(outcome));
}

export async function dropOutcome(
  context: Context,
  directory: string | undefined,
  outcome: UnblockOutcome,
): Promise<boolean> {
  return changed(context, directory, (store) => store.dropOutcome(outcome));
}

/**
 * Tells the servers what they could not be told before. Told twice it changes nothing at the server, so nobody holds
 * the store's lock meanwhile. What a server refuses (it closed the session in another way) is not told again.
 */
export async function deliverOutcomes(
  context: Context,
  store: Store,
  directory: string | undefined,
  timeoutMs = PASSING_MS,
): Promise<void> {
  const away = new Set<string>();
  const until = context.now().getTime() + timeoutMs;
  for (const outcome of store.document.outcomes) {
    const known = store.server(outcome.server);
    if (context.now().getTime() > until) return;
    if (away.has(outcome.server)) continue;
    try {
      if (known !== undefined) {
        await passing(context, known, timeoutMs).reportUnblock(outcome.sessionId, outcome.outcome);
      }
    } catch (error) {
      if (!isDomainError(error)) throw error;
      if (error.kind === 'unavailable' || error.kind === 'too-many') {
        away.add(outcome.server);
        continue;
      }
    }
    await dropOutcome(context, directory, outcome);
  }
}

/** The card has a PIN of its holder's: one that was to be handed over is void. Gives the card as it is then. */
export async function ownPinNow(
  context: Context,
  directory: string | undefined,
  card: StoredCard,
): Promise<StoredCard> {
  if (card.handOver?.state !== 'sealed') return card;
  const own = { ...card, handOver: { state: 'set' } } as const;
  await changed(context, directory, (store) => {
    const known = store.card(card.cardId);
    if (known !== undefined) store.putCard({ ...known, handOver: own.handOver });
  });
  return own;
}

/** A store that is locked or can't be written is no reason to fail: the card is as it is. */
async function changed(
  context: Context,
  directory: string | undefined,
  change: (store: Store) => void,
): Promise<boolean> {
  try {
    await context.changeStore(directory, async (store) => change(store));
    return true;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    return false;
  }
}
