import type {
  Algorithm,
  FleetDerivation,
  ImportableAlgorithm,
  KeyState,
  KeyStrategy,
  NamedKeyKind,
} from './operations.ts';

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
  /** Name of the TPM storage key that it was wrapped to, 34 bytes; null: to none, or before this was kept. */
  readonly parentName: Uint8Array | null;
  /** Of a version that was made to follow a confirmed one; the first of a card follows none. */
  readonly lineage: Lineage | null;
}

export interface Lineage {
  /** The version that was the confirmed one. */
  readonly predecessor: number;
  /** TPM cards only. */
  readonly succession: Succession | null;
}

/** What the card's index was founded with stays for as long as it lives, whichever key follows. */
export interface Succession {
  /** 1 for the first that follows the founding key. */
  readonly generation: number;
  /** Name of the founding key, 34 bytes. */
  readonly foundingName: Uint8Array;
  readonly nvIndex: number;
}

/** Of a key that came from elsewhere. */
export const NO_LINEAGE = { parentName: null, lineage: null } as const;

export interface SealedKey {
  readonly kekVersion: number;
  readonly sealed: Uint8Array;
}

export interface FirstWrite {
  readonly nvIndex: number;
  readonly nonce: Uint8Array;
}

/** Where the bytes of a key are that its own row does not hold. The row's seal binds this (key-source.ts). */
export interface KeySource {
  readonly secretId: string;
  /** Deterministic keys of other fleets: how theirs follow from the master. */
  readonly derivation: FleetDerivation | null;
  readonly diversifier: Uint8Array | null;
}

/** Once superseded, `sealed` has no bytes. */
export interface KeyRecord extends KeyFacts, SealedKey {
  readonly state: KeyState;
  /** The vault's record says that a later version took its place: then this state is not what the vault left. */
  readonly succeeded: boolean;
  /** uniform, random-not-stored, and deterministic of another fleet. */
  readonly source: KeySource | null;
  readonly firstWrite: FirstWrite | null;
  readonly createdAt: Date;
}

export type SecretKind = NamedKeyKind | 'transient-key' | 'puk' | 'fingerprint-key' | 'lockout-key';

/** What is kept sealed beside the keys of cards. Its seal binds all of this. */
export interface SecretFacts {
  readonly id: string;
  readonly kind: SecretKind;
  /** Of its kind, at most one has it. Of a card's own: the card's id, and what more tells it apart. */
  readonly name: string;
  readonly cardId: string | null;
  /** Named keys only. */
  readonly algorithm: ImportableAlgorithm | null;
  readonly kcv: string | null;
}

export interface SecretRecord extends SecretFacts, SealedKey {
  readonly createdAt: Date;
  /** PUKs only: when it was shown. */
  readonly shownAt: Date | null;
}
