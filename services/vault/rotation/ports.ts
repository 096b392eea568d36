import type { Secret } from '@cardwright/protocol';
import type { SealedKey } from '../key-record.ts';
import type { Keyring } from '../keyring.ts';
import type { RecoveryPublicKey } from '../provider.ts';
import type { SealedFacts } from '../sealing.ts';
import type { KekTable } from './keks.pg.ts';

/** A row that holds something sealed. */
export interface SealedRow {
  /** Its primary key, as text in the order of the table; opaque here. */
  readonly id: readonly [string, number];
  readonly facts: SealedFacts;
  readonly blob: SealedKey;
}

/** A table with sealed rows. */
export interface SealedTable {
  readonly name: string;
  count(kekVersion: number): Promise<number>;
  /** Rows under that KEK in the order of their ids, after that one. */
  next(kekVersion: number, after: SealedRow['id'] | undefined, limit: number): Promise<readonly SealedRow[]>;
  /** Gives the rows their new seals; a row that changed its KEK meanwhile is left alone. */
  replace(rows: readonly { readonly row: SealedRow; readonly blob: SealedKey }[]): Promise<void>;
}

/** Where keys lie sealed to the recovery key. */
export interface RecoveryStore {
  /** Durable when it returns; an entry of that kind and version is replaced. @param key lent. */
  add(kind: 'kek' | 'master', version: number, key: Secret, to: RecoveryPublicKey): Promise<void>;
  removeKek(version: number): Promise<void>;
}

export interface Rotation {
  readonly keyring: Keyring;
  readonly keks: KekTable;
  readonly tables: readonly SealedTable[];
  readonly recovery: RecoveryStore | null;
  readonly random: (bytes: number) => Uint8Array;
  /** Rows a batch: memory is bounded by it, and so is what is done twice after a crash. */
  readonly batchRows: number;
  /** Throws when it is no longer this process alone that changes keys. */
  readonly stillOurTurn: () => void;
  readonly say: (line: string) => void;
}

export interface RotationResult {
  /** The active KEK afterwards. */
  readonly kekVersion: number;
  readonly rewrapped: number;
  /** What an earlier run had begun was completed, and nothing new begun. */
  readonly resumed: boolean;
}
