import type {
  FirstWrite,
  KeyFacts,
  KeyRecord,
  KeySource,
  SealedKey,
  SecretFacts,
  SecretKind,
  SecretRecord,
} from './key-record.ts';
import type { KeyState } from './operations.ts';

/** One row of the vault's own record. */
export interface Use {
  readonly operation: string;
  readonly cardId: string;
  readonly keyVersion: number | null;
  readonly requestedBy: string;
  readonly requestId: string;
  /** SHA-256 of what was to be answered or signed. */
  readonly challengeDigest: Uint8Array | null;
}

export interface UseRecord {
  /**
   * Resolves once the row is committed. @param outcome 'done', or the code of the refusal.
   * @throws DomainError `vault-database-unavailable`.
   */
  record(use: Use, outcome: string): Promise<void>;
}

/** What only some keys have. */
export interface KeyExtras {
  readonly source?: KeySource;
  /** Of imported keys: equal for equal keys. 32 bytes. */
  readonly fingerprint?: Uint8Array;
}

export interface FirstWriteClaim {
  /** By this call. */
  readonly claimed: boolean;
  /** The digest by which the record has an earlier one; null: it has none, and the row does not allow one. */
  readonly recorded: Uint8Array | null;
}

/** Each change commits together with its row in the record of uses, or not at all. */
export interface KeyStore {
  find(cardId: string, keyVersion: number): Promise<KeyRecord | undefined>;
  /** Oldest first. */
  list(cardId: string): Promise<readonly KeyRecord[]>;
  /** Of any version that was ever made for this card, as the rows or the record have it; 0 when there is none. */
  lastVersion(cardId: string): Promise<number>;
  /**
   * @returns false when the card has this version, or a confirmed one that this one does not follow: look again.
   */
  add(facts: KeyFacts, blob: SealedKey, state: KeyState, use: Use, more?: KeyExtras): Promise<boolean>;
  /**
   * Claims the only first write of a proposed version, if the whole record since that version was made, checked link by
   * link up to where this vault has it, knows of none: whatever the rows say.
   * @param use its digest must cover the claim.
   * @throws DomainError `first-write-unproven` (conflict), `vault-record-altered` (internal).
   */
  claimFirstWrite(cardId: string, keyVersion: number, claim: FirstWrite, use: Use): Promise<FirstWriteClaim>;
  /** What the record has of it: the digest of its use. Not checked against the chain. */
  recordedFirstWrite(cardId: string, keyVersion: number): Promise<Uint8Array | undefined>;
  /** @returns false when nothing changed: not proposed, first write not signed, or another version is confirmed. */
  confirm(cardId: string, keyVersion: number, use: Use): Promise<boolean>;
  /**
   * The same of a version that follows the confirmed one; every other version of the card is superseded, and what is
   * sealed of it destroyed, in the same transaction.
   * @returns false when nothing changed: not proposed, or not to follow the one that is confirmed now.
   */
  confirmChange(cardId: string, keyVersion: number, use: Use): Promise<boolean>;
  findSecret(id: string): Promise<SecretRecord | undefined>;
}

/** What is kept beside the keys of cards; each change commits together with its row in the record of uses. */
export interface SecretStore {
  findSecret(id: string): Promise<SecretRecord | undefined>;
  findNamed(kind: SecretKind, name: string): Promise<SecretRecord | undefined>;
  /** By name; at most `limit`. */
  listNamed(kinds: readonly SecretKind[], limit: number): Promise<readonly SecretRecord[]>;
  /** @returns false when there is one of that kind and name. */
  addSecret(facts: SecretFacts, blob: SealedKey, use: Use): Promise<boolean>;
  /** Marks a PUK as shown. @returns false when it was shown before. */
  markShown(id: string, use: Use): Promise<boolean>;
}

export interface PreparedKey {
  readonly facts: KeyFacts;
  readonly blob: SealedKey;
  readonly source: KeySource | null;
  readonly fingerprint: Uint8Array | null;
}

export interface PreparedPuk {
  readonly facts: SecretFacts;
  readonly blob: SealedKey;
}

/** Imports of many keys at once. */
export interface ImportStore {
  /** The digest of what a batch held, if it is stored. */
  findBatch(id: string): Promise<Uint8Array | undefined>;
  /** Which of these cards have a key already. */
  cardsWithKeys(cardIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Which of these some card has, in hex. */
  knownFingerprints(prints: readonly Uint8Array[]): Promise<ReadonlySet<string>>;
  /** The first key of a card with its PUK, or neither: false when the card has a key, or a PUK. */
  addWithPuk(key: PreparedKey, puk: PreparedPuk, use: Use): Promise<boolean>;
  /** All of them with the batch's entry in the record, or none: false when a card has a key, or the batch is there. */
  addBatch(
    batch: { readonly id: string; readonly digest: Uint8Array },
    keys: readonly PreparedKey[],
    puks: readonly PreparedPuk[],
    use: Use,
  ): Promise<boolean>;
}
