/** A use as the vault recorded it. */
export interface RecordedUse {
  readonly sequence: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly operation: string;
  readonly cardId: string;
  readonly requestedBy: string;
  readonly requestId: string;
  /** SHA-256, hex. */
  readonly challengeDigest: string | null;
  readonly outcome: string;
}

/** An event of cms's audit log; the names are those of its API. */
export interface CmsEvent {
  readonly id: string;
  readonly time: string;
  readonly actorId: string;
  readonly action: string;
  readonly outcome: string;
  readonly cardId: string | null;
  readonly requestId: string;
  /** SHA-256, hex. */
  readonly challengeDigest: string | null;
  /** Written before the record was read: what it claims must be there. */
  readonly settled: boolean;
}

export type Difference =
  | { readonly kind: 'only-in-vault'; readonly why: string; readonly use: RecordedUse }
  | { readonly kind: 'only-in-cms'; readonly why: string; readonly event: CmsEvent };

/**
 * What cms writes before it asks, and what after it was answered. A use without the first was asked for by somebody who
 * hides it; an outcome without the use is a claim that never happened. What is asked for and was never used is neither:
 * cms or the vault ended in between.
 */
const ACTIONS: Readonly<Record<string, readonly Action[]>> = {
  // To reset a PIN, or, while the card's key is changed, to let the device write the new one.
  answer: [
    { intent: 'unblock.answer-requested', outcome: 'unblock.answered' },
    { intent: 'key-change.answer-requested', outcome: 'key-change.answered' },
  ],
  'tpm.reset': [{ intent: 'unblock.answer-requested', outcome: 'unblock.answered' }],
  'key.make-for-tpm': [{ intent: 'administrator-key.requested', outcome: 'administrator-key.made' }],
  'tpm.first-write': [{ intent: 'first-write.requested', outcome: 'first-write.approved' }],
  'puk.show': [{ intent: 'puk.requested', outcome: 'puk.disclosed' }],
  'key.confirm': [{ intent: 'enrolment.completion-requested', outcome: 'enrolment.completed' }],
  'key.propose-successor': [{ intent: 'key-change.offer-requested', outcome: 'key-change.offered' }],
  'key.propose-replacement': [{ intent: 'key-change.offer-requested', outcome: 'key-change.offered' }],
  'key.confirm-change': [{ intent: 'key-change.confirmation-requested', outcome: 'key-change.confirmed' }],
};

interface Action {
  readonly intent: string;
  readonly outcome: string;
}

/** Outcomes that cms writes only when the vault did one of these for the card. */
const CLAIMS = new Map<string, ReadonlySet<string>>(
  [...new Set(Object.values(ACTIONS).flatMap((actions) => actions.map(({ outcome }) => outcome)))].map((outcome) => [
    outcome,
    new Set(Object.keys(ACTIONS).filter((operation) => ACTIONS[operation]?.some((each) => each.outcome === outcome))),
  ]),
);

/** About one card, which cms must name too; others are about a batch, a fleet or a secret of the vault itself. */
const OF_A_CARD = new Set([...Object.keys(ACTIONS), 'key.import']);

/** Of an operator at the vault's own command line; cms has no part in it. */
export const OWN_OPERATION = /^vault\./;
/** Gives nothing away and changes nothing, so cms writes nothing of it. */
const LOOKS = new Set(['key.describe']);

/**
 * Goes through both, each sorted by request id (bytes of its UTF-8), and gives what one has and the other has not. Holds
 * one request of each at a time.
 */
export async function* compareRecords(
  uses: AsyncIterable<RecordedUse>,
  events: AsyncIterable<CmsEvent>,
): AsyncGenerator<Difference> {
  const [byUse, byEvent] = [groups(uses), groups(events)];
  let [used, logged] = [await next(byUse), await next(byEvent)];
  while (used !== undefined || logged !== undefined) {
    const order = used === undefined ? 1 : logged === undefined ? -1 : compareText(used.requestId, logged.requestId);
    yield* compareRequest(order <= 0 ? (used?.items ?? []) : [], order >= 0 ? (logged?.items ?? []) : []);
    if (order <= 0) used = await next(byUse);
    if (order >= 0) logged = await next(byEvent);
  }
}

export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function* compareRequest(uses: readonly RecordedUse[], events: readonly CmsEvent[]): Generator<Difference> {
  const spent = new Set<CmsEvent>();
  for (const use of uses) {
    if (OWN_OPERATION.test(use.operation) || LOOKS.has(use.operation)) continue;
    const why = whyUnknown(use, events, spent);
    if (why !== null) yield { kind: 'only-in-vault', why, use };
  }
  for (const event of events) {
    const operations = CLAIMS.get(event.action);
    if (operations === undefined || event.outcome !== 'done' || !event.settled) continue;
    const proved = uses.some(
      ({ operation, outcome, cardId }) => operations.has(operation) && outcome === 'done' && cardId === event.cardId,
    );
    if (!proved) yield { kind: 'only-in-cms', why: 'the vault has no such use of this card by this request', event };
  }
}

/** @param spent intents that stand for an earlier use: each allows one. */
function whyUnknown(use: RecordedUse, events: readonly CmsEvent[], spent: Set<CmsEvent>): string | null {
  if (events.length === 0) return 'cms has nothing of this request';
  const anyCard = !OF_A_CARD.has(use.operation);
  const ofCard = events.filter(({ cardId }) => anyCard || cardId === null || cardId === use.cardId);
  if (ofCard.length === 0) return 'cms says that this request was about another card';
  const byActor = ofCard.filter(({ actorId }) => actorId === use.requestedBy);
  if (byActor.length === 0) return 'cms says that somebody else asked';
  const wanted = Object.hasOwn(ACTIONS, use.operation)
    ? ACTIONS[use.operation]?.map(({ intent }) => intent)
    : undefined;
  if (wanted === undefined || use.outcome !== 'done') return null;
  const intents = byActor.filter(({ action }) => wanted.includes(action));
  if (intents.length === 0) return 'cms says that this request asked for something else';
  const free = intents.find((event) => !spent.has(event));
  if (free === undefined) return 'cms says that this request asked once';
  spent.add(free);
  if (use.operation === 'answer' && free.challengeDigest !== use.challengeDigest) {
    return 'cms says that another challenge was to be answered';
  }
  return null;
}

interface Group<T> {
  readonly requestId: string;
  readonly items: readonly T[];
}

async function* groups<T extends { readonly requestId: string }>(lines: AsyncIterable<T>): AsyncGenerator<Group<T>> {
  let items: T[] = [];
  for await (const line of lines) {
    const [first] = items;
    if (first !== undefined && first.requestId !== line.requestId) {
      yield { requestId: first.requestId, items };
      items = [];
    }
    items.push(line);
  }
  const [first] = items;
  if (first !== undefined) yield { requestId: first.requestId, items };
}

async function next<T>(from: AsyncGenerator<T>): Promise<T | undefined> {
  const { value, done } = await from.next();
  return done === true ? undefined : value;
}
