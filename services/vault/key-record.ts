import type { Algorithm, KeyState, KeyStrategy } from './operations.ts';

/** What is decided when a version of a key is made, and never changes. The seal binds all of it. */
export interface KeyFacts {
  readonly cardId: string;
  readonly keyVersion: number;
  readonly algorithm: Algorithm;
  readonly strategy: KeyStrategy;
  /** deterministic only: the master secret that the key is derived from. */
  readonly masterVersion: number | null;
  /** All algorithms but hmac-sha256. */
  readonly kcv: string | null;
  /** hmac-sha256 only: the key's Name in the TPM, 34 bytes. */
  readonly tpmName: Uint8Array | null;
  /** hmac-sha256 only. */
  readonly pinLimit: number | null;
}

export interface SealedKey {
  readonly kekVersion: number;
  readonly sealed: Uint8Array;
}

export interface FirstWrite {
  readonly nvIndex: number;
  readonly nonce: Uint8Array;
}

export interface KeyRecord extends KeyFacts, SealedKey {
  readonly state: KeyState;
  readonly firstWrite: FirstWrite | null;
  readonly createdAt: Date;
}
