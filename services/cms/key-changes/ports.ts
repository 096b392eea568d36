import type { Actor, Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { ChangeCause, ChangeKind, ChangeState, KeyChange, KeyOffer } from './key-change.ts';

export interface NewKeyChange {
  readonly id: string;
  readonly cardId: string;
  readonly taskId: string;
  readonly kind: ChangeKind;
  readonly cause: ChangeCause;
  readonly fromVersion: number;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly requestedBy: { readonly id: string; readonly name: string };
  readonly createdAt: Date;
}

export interface KeyChangeUpdate {
  readonly state?: ChangeState;
  readonly offer?: KeyOffer;
  readonly toVersion?: number;
  readonly offeredAt?: Date;
  readonly reportedAt?: Date;
  readonly confirmedAt?: Date;
  readonly answers?: number;
  readonly failure?: NonNullable<KeyChange['failure']>;
}

/** All of a card's changes are written with the card's row held: it is taken first, everywhere. */
export interface KeyChangeRecords {
  /** @throws DomainError `key-change-open` (conflict). */
  insert(tx: Tx, change: NewKeyChange): Promise<void>;
  find(id: string): Promise<KeyChange | null>;
  /** With the device that its task is for. */
  findByTask(taskId: string): Promise<{ readonly change: KeyChange; readonly deviceId: string } | null>;
  /** As stored now; the caller holds the card. */
  read(tx: Tx, id: string): Promise<KeyChange | null>;
  readByTask(tx: Tx, taskId: string): Promise<KeyChange | null>;
  /** Also one that failed, and whose key turned out to be on the card: it is about to be confirmed. */
  openOfCard(tx: Tx, cardId: string): Promise<KeyChange | null>;
  /** The newest in that state that led from, or to, that version. */
  latest(
    tx: Tx,
    of: { readonly cardId: string; readonly state: ChangeState } & ({ fromVersion: number } | { toVersion: number }),
  ): Promise<KeyChange | null>;
  /** How often the key of the TPM card was changed. */
  countRotations(tx: Tx, cardId: string): Promise<number>;
  update(tx: Tx, id: string, change: KeyChangeUpdate): Promise<void>;
  /** Newest first, those before the id `after`; up to `limit`. */
  listOfCard(cardId: string, after: string | null, limit: number): Promise<KeyChange[]>;
  /** Reported before then, and not confirmed: oldest first. */
  reportedBefore(before: Date, limit: number): Promise<string[]>;
}

/** Cards whose keys are due to be changed by their age. */
export interface AgedKeys {
  /**
   * Ids of cards in use whose profile says so, whose key is older than that, that have no open change and none that failed
   * since `retryAfter`, and whose device checked in since `seenSince`. Not of TPM cards whose key was changed
   * `maxRotations` times.
   */
  due(of: { now: Date; seenSince: Date; retryAfter: Date; maxRotations: number }, limit: number): Promise<string[]>;
}

/** Cards whose key others know, and whose change nobody has asked for yet: those of an import. */
export interface TakeOvers {
  /** Ids, oldest first. */
  toBegin(limit: number): Promise<string[]>;
}

/** The device that a card is on. */
export interface DeviceKeys {
  /** Name of its TPM's storage key as the device said when it enrolled, hex. */
  storageKeyName(deviceId: string): Promise<string | null>;
}

interface Asked {
  readonly requestedBy: string;
  readonly requestId: string;
  readonly cardId: string;
}
interface Wrapped {
  readonly keyVersion: number;
  readonly name: Uint8Array;
  readonly public: Uint8Array;
  readonly duplicate: Uint8Array;
  readonly inSymSeed: Uint8Array;
}
interface SignedApproval {
  readonly approvedPolicy: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a change needs of the vault. VaultClient has it. */
export interface ChangingKeys {
  proposeSuccessor(
    params: Asked & {
      strategy: 'random-not-stored' | 'random-stored' | 'deterministic';
      parentPublic: Uint8Array;
    },
  ): Promise<Wrapped & { readonly approval: SignedApproval; readonly rehearsal: SignedApproval }>;
  proposeReplacement(
    params: Asked & { strategy: 'random-stored' | 'deterministic'; parentPublic: Uint8Array },
  ): Promise<Wrapped & { readonly algorithm: string; readonly kcv: string }>;
  confirmChange(params: Asked & { keyVersion: number }): Promise<void>;
  answerChallenge(
    params: Asked & { keyVersion: number; challenge: Uint8Array; mode: 'ecb' | 'cbc' },
  ): Promise<{ readonly response: Uint8Array }>;
}

export type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };
