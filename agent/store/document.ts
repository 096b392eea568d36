import { DomainError, KEY_TYPE_NAMES } from '@cardwright/protocol';
import { MAX_SUCCESSIONS } from '@cardwright/protocol/tpm';
import { cardSerial, claimShape, containerName, handOverFields, opaqueId, personShape } from '../enrolment/claim.ts';
import type { ContainerState, Journal, JournalState } from '../enrolment/journal.ts';
import { pinPolicyShape } from '../enrolment/pin-policy.ts';
import {
  base64,
  boolean,
  closed,
  hex,
  integer,
  list,
  nullable,
  oneOf,
  optional,
  read,
  type Shape,
  type Shaped,
  tagged,
  text,
  time,
} from '../shape.ts';
import {
  MESSAGES_MAX,
  type StoredMessage,
  storedMessageShape,
  TASKS_MAX,
  type TaskEntry,
  taskEntryShape,
} from '../tasks/journal.ts';

/**
 * The agent's whole memory as one JSON document, so that one rename changes all of it at once. It holds no PIN and no
 * administrator key; the device tokens are secret (they let a process speak to the server as this device), hence the
 * file's mode 0600.
 */
export const STORE_VERSION = 1;

/** Bounds of one store. Reading refuses more, so that a damaged or planted file can't exhaust the agent. */
export const STORE_BYTES_MAX = 8 * 1024 * 1024;
const CARDS_MAX = 256;
const BLOB_MAX = 4096;
const CERTIFICATE_MAX = 16 * 1024;

const literally = <const V extends string>(value: V): Shape<V> => oneOf(value);
const name = hex(66);
const slot = integer(0, 0xffffffff);
const keyVersion = integer(1, 1_000_000);
const blob = base64(BLOB_MAX);
const certificate = base64(CERTIFICATE_MAX);
const chain = list(certificate, 8);
const approval = closed({ approvedPolicy: base64(64), signature: base64(512) });
const selfChange = approval;
const importedKey = closed({ keyVersion, name, blob });
/** An administrator key that the card has obeyed since; the founding one stays in `key`. */
const succession = closed({ keyVersion, name, blob, approval });
const successionList = optional(list(succession, MAX_SUCCESSIONS));
const wrappedKey = closed({ keyVersion, name, public: blob, duplicate: blob, inSymSeed: blob });
const keyType = oneOf(...KEY_TYPE_NAMES);

const container: Shape<ContainerState> = tagged<ContainerState>('at', {
  planned: closed({ at: literally('planned'), container: containerName, keyType }),
  keyed: closed({ at: literally('keyed'), container: containerName, keyType, blob }),
  requested: closed({ at: literally('requested'), container: containerName, keyType, blob, csr: blob }),
  certified: closed({
    at: literally('certified'),
    container: containerName,
    keyType,
    blob,
    certificateId: opaqueId,
    certificate,
    chain,
  }),
});

const placed = { claim: claimShape, key: importedKey, slot };
const journalState: Shape<JournalState> = tagged<JournalState>('step', {
  claiming: closed({ step: literally('claiming') }),
  claimed: closed({ step: literally('claimed'), claim: claimShape }),
  'key-received': closed({ step: literally('key-received'), claim: claimShape, wrapped: wrappedKey }),
  'key-imported': closed({ step: literally('key-imported'), claim: claimShape, key: importedKey }),
  'slot-chosen': closed({ step: literally('slot-chosen'), ...placed }),
  prepared: closed({ step: literally('prepared'), ...placed }),
  'first-write-asked': closed({ step: literally('first-write-asked'), ...placed }),
  'first-write-answered': closed({ step: literally('first-write-answered'), ...placed, selfChange }),
  written: closed({ step: literally('written'), ...placed, selfChange, containers: list(container, 30) }),
});

const serverUrl = text(512);

/** A compact JWE. */
const envelope = text(2048, /^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);

/**
 * Of a card whose first PIN is handed over. `sealed`: the card has the PIN of one of the envelopes: of the only one, but for a
 * change that was cut off, whose new PIN is in the last one. `set`: its holder has set their own.
 */
const handOver: Shape<StoredHandOver> = tagged<StoredHandOver>('state', {
  sealed: closed({ state: literally('sealed'), ...handOverFields, envelopes: list(envelope, 2) }),
  set: closed({ state: literally('set') }),
});
export type StoredHandOver =
  | {
      readonly state: 'sealed';
      readonly publicKey: string;
      readonly salt: string;
      readonly envelopes: readonly string[];
    }
  | { readonly state: 'set' };

const journalFields = closed({
  codeDigest: hex(32),
  server: serverUrl,
  startedAt: time,
  attested: optional(boolean),
  sealedPin: optional(envelope),
  state: journalState,
});
const journal: Shape<Journal> = (value, at) => {
  const { attested, sealedPin, ...fields } = journalFields(value, at);
  return {
    ...fields,
    ...(attested === null ? {} : { attested }),
    ...(sealedPin === null ? {} : { sealedPin }),
  };
};

/** A server that knows this device; its address was checked when it was typed. The token is base64url of 32 random bytes. */
const knownServer = closed({
  url: serverUrl,
  deviceToken: text(43, /^[A-Za-z0-9_-]{43}$/),
  deviceId: nullable(opaqueId),
  /** The one CA that TLS takes for it, since the first contact; null with clear http to this machine. */
  trustedCa: optional(certificate),
});

const storedKey = closed({
  container: containerName,
  keyType,
  blob,
  certificateId: opaqueId,
  certificate,
  chain,
});

const storedCard = closed({
  cardId: opaqueId,
  serial: cardSerial,
  server: serverUrl,
  enrolmentId: opaqueId,
  codeDigest: hex(32),
  person: personShape,
  slot,
  pinLimit: integer(1, 100),
  pinPolicy: pinPolicyShape,
  key: importedKey,
  /** Oldest first. */
  successions: (value: unknown, at: string): StoredSuccession[] => successionList(value, at) ?? [],
  selfChange,
  keys: list(storedKey, 30),
  /**
   * `retired`: taken out of use by an operator; it stays until it is destroyed. `destroying`: its end was begun and is
   * finished by `destroy` or `run`. Neither is used any more.
   */
  state: oneOf('active', 'retired', 'destroying'),
  enrolledAt: time,
  handOver: optional(handOver),
});

/** How an online unblock ended, that the server has not been told of yet. */
const unblockOutcome = closed({ server: serverUrl, sessionId: opaqueId, outcome: oneOf('worked', 'failed') });
export const OUTCOMES_MAX = 64;
/** A renewal under way: the card goes on with its old certificate until the server knows that the new one is stored. */
const renewal = closed({
  server: serverUrl,
  cardId: opaqueId,
  replaces: opaqueId,
  state: container,
  /** Of a new key: what the key before signed for its request, a JWS. */
  proof: optional(text(4096)),
});
const renewalList = optional(list(renewal, CARDS_MAX));

const outcomeList = optional(list(unblockOutcome, OUTCOMES_MAX));
const taskList = optional(list(taskEntryShape, TASKS_MAX));
const messageList = optional(list(storedMessageShape, MESSAGES_MAX));

const protectedLockout = closed({ server: serverUrl, deviceId: opaqueId, authority: blob });

const document = closed({
  format: literally('cardwright-store'),
  version: integer(STORE_VERSION, STORE_VERSION),
  /** Name of the device's storage key: blobs of one TPM are useless on another. Null until the first enrolment. */
  storageKeyName: nullable(name),
  servers: list(knownServer, 64),
  enrolments: list(journal, CARDS_MAX),
  cards: list(storedCard, CARDS_MAX),
  outcomes: (value: unknown, at: string): UnblockOutcome[] => outcomeList(value, at) ?? [],
  renewals: (value: unknown, at: string): RenewalEntry[] => renewalList(value, at) ?? [],
  tasks: (value: unknown, at: string): TaskEntry[] => taskList(value, at) ?? [],
  /** Under whose protection the lockout of this device's hardware is; null: nobody's that we know. */
  lockout: optional(protectedLockout),
  /** From operators to the people of this device. */
  messages: (value: unknown, at: string): StoredMessage[] => messageList(value, at) ?? [],
});

export type ProtectedLockout = Shaped<typeof protectedLockout>;
export type UnblockOutcome = Shaped<typeof unblockOutcome>;
export type KnownServer = Shaped<typeof knownServer>;
export type RenewalEntry = Shaped<typeof renewal>;
export type StoredSuccession = Shaped<typeof succession>;
export type StoredKey = Shaped<typeof storedKey>;
export type StoredCard = Shaped<typeof storedCard>;
export type StoreDocument = Shaped<typeof document>;

export function emptyDocument(): StoreDocument {
  return {
    format: 'cardwright-store',
    version: STORE_VERSION,
    storageKeyName: null,
    servers: [],
    enrolments: [],
    cards: [],
    outcomes: [],
    renewals: [],
    tasks: [],
    lockout: null,
    messages: [],
  };
}

export function serialise(value: StoreDocument): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

/** Throws `store-damaged` or `store-of-newer-version` (both `unprocessable`). */
export function parseDocument(textOfFile: string): StoreDocument {
  let value: unknown;
  try {
    value = JSON.parse(textOfFile);
  } catch {
    throw damaged('it is not JSON');
  }
  const version = typeof value === 'object' && value !== null ? (value as { version?: unknown }).version : undefined;
  if (typeof version === 'number' && version > STORE_VERSION) {
    throw new DomainError(
      'unprocessable',
      'store-of-newer-version',
      `The store was written by a newer cardwright-agent (format ${version}; this one reads ${STORE_VERSION}). Update the agent.`,
    );
  }
  return read(document, value, damaged);
}

function damaged(reason: string): DomainError {
  return new DomainError(
    'unprocessable',
    'store-damaged',
    `The store can't be read: ${reason}. Restore store.json from a backup, or move it away and enrol again.`,
  );
}
