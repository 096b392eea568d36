import type { FirstWrite, KeyFacts, KeyRecord, SealedKey } from './key-record.ts';
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

/** Each change commits together with its row in the record of uses, or not at all. */
export interface KeyStore {
  find(cardId: string, keyVersion: number): Promise<KeyRecord | undefined>;
  /** Oldest first. */
  list(cardId: string): Promise<readonly KeyRecord[]>;
  /** @returns false when the card has this version, or one that is confirmed: look again. */
  add(facts: KeyFacts, blob: SealedKey, state: KeyState, use: Use): Promise<boolean>;
  /** @returns false unless this call is the one that claimed the only first write of the proposed version. */
  claimFirstWrite(cardId: string, keyVersion: number, claim: FirstWrite, use: Use): Promise<boolean>;
  /** @returns false when nothing changed: not proposed, first write not signed, or another version is confirmed. */
  confirm(cardId: string, keyVersion: number, use: Use): Promise<boolean>;
}
