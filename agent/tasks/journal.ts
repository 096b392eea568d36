import { cardSerial, opaqueId } from '../enrolment/claim.ts';
import {
  base64,
  closed,
  hex,
  integer,
  nullable,
  oneOf,
  type Shape,
  type Shaped,
  tagged,
  text,
  time,
} from '../shape.ts';

/**
 * What the agent remembers of a task between its first step and the server's word that it knows the result. Pure. Each state
 * is stored before the next step is taken, so that the agent can be killed anywhere and the next run goes on from there.
 */
const literally = <const V extends string>(value: V): Shape<V> => oneOf(value);
const blob = base64(4096);
const keyVersion = integer(1, 1_000_000);
const approval = closed({ approvedPolicy: base64(64), signature: base64(512) });
/** Names as hex, as everywhere in the store. */
const name = hex(66);
const wrapped = { keyVersion, name, public: blob, duplicate: blob, inSymSeed: blob };

const successorOffer = closed({ kind: literally('successor'), ...wrapped, approval, rehearsal: approval });
/** The next administrator key of a minidriver card: sealed data that only this device's TPM opens. */
const replacementOffer = closed({
  kind: literally('replacement'),
  ...wrapped,
  /** The key that the card has until then: it opens the card for the change. */
  fromVersion: keyVersion,
  algorithm: text(32, /^[a-z0-9-]+$/),
  kcv: text(64, /^[A-Za-z0-9+/=-]+$/),
});

export type SuccessorOffer = Shaped<typeof successorOffer>;
export type ReplacementOffer = Shaped<typeof replacementOffer>;
export type KeyOffer = SuccessorOffer | ReplacementOffer;
const keyOffer: Shape<KeyOffer> = tagged<KeyOffer>('kind', {
  successor: successorOffer,
  replacement: replacementOffer,
});

/** `detail` and `code` are shown to operators: never a secret. */
const result = closed({
  outcome: oneOf('done', 'failed'),
  code: nullable(text(64, /^[a-z][a-z0-9-]*$/)),
  detail: nullable(text(500)),
  keyVersion: nullable(keyVersion),
});
export type TaskResult = Shaped<typeof result>;

export type TaskState =
  | { readonly step: 'offered'; readonly offer: KeyOffer }
  | { readonly step: 'imported'; readonly offer: SuccessorOffer; readonly blob: string }
  /** The card may have been given the new key, or not: it says which. */
  | { readonly step: 'changing'; readonly offer: ReplacementOffer }
  /** Done or failed, and the server may not have heard of it. */
  | { readonly step: 'finished'; readonly result: TaskResult };

const taskState: Shape<TaskState> = tagged<TaskState>('step', {
  offered: closed({ step: literally('offered'), offer: keyOffer }),
  imported: closed({ step: literally('imported'), offer: successorOffer, blob }),
  changing: closed({ step: literally('changing'), offer: replacementOffer }),
  finished: closed({ step: literally('finished'), result }),
});

const taskEntry = closed({ server: text(512), taskId: opaqueId, kind: text(40), state: taskState });
export type TaskEntry = Shaped<typeof taskEntry>;
export const taskEntryShape: Shape<TaskEntry> = taskEntry;
export const TASKS_MAX = 64;

const storedMessage = closed({
  server: text(512),
  taskId: opaqueId,
  serial: nullable(cardSerial),
  text: text(1000),
  receivedAt: time,
  shown: oneOf('no', 'yes'),
});
export type StoredMessage = Shaped<typeof storedMessage>;
export const storedMessageShape: Shape<StoredMessage> = storedMessage;
export const MESSAGES_MAX = 64;

const NOTHING = { code: null, detail: null, keyVersion: null };
export const done = (more: Partial<TaskResult> = {}): TaskResult => ({ ...NOTHING, ...more, outcome: 'done' });
/** `detail` is cut to what may be stored and sent. */
export const failed = (code: string, detail: string): TaskResult => ({
  ...NOTHING,
  outcome: 'failed',
  code,
  detail: printableLine(detail).slice(0, 500),
});

const printableLine = (detail: string) => detail.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ');
