import type { Secret } from '@cardwright/protocol';
import type { ImportPublicKey } from './operations.ts';

/** A data key as its provider gave it back: only that provider, that KEK version and those associated data open it. */
export interface WrappedDataKey {
  readonly kekVersion: number;
  readonly wrapped: Uint8Array;
}

/** What a sealed import held, once its seal proved right. */
export interface OpenedImport {
  /** `cardSerial` of the protected header, as text of unknown sense; undefined when there is none. */
  readonly cardSerial: string | undefined;
  readonly text: Secret;
}

/**
 * Who keeps the keys of the vault itself: key-encryption keys and master secrets, both in versions, and the key that
 * imports are sealed to. They never leave it; that lets a token (PKCS#11) or a KMS stand here as well as a file.
 * Every method may fail with DomainError; what comes back as Secret belongs to the caller, who wipes it.
 */
export interface KeyProvider {
  readonly name: 'file';
  /** The one that new data keys are wrapped with. */
  readonly kekVersion: number;
  /** The one that new deterministic keys are derived from. */
  readonly masterVersion: number;
  readonly importPublicKey: ImportPublicKey;

  /** @param dataKey 32 bytes; lent. */
  wrap(dataKey: Secret, associatedData: Uint8Array): Promise<WrappedDataKey>;
  /** @throws DomainError `vault-blob-invalid` (internal): not wrapped here, or not with these associated data. */
  unwrap(wrapped: WrappedDataKey, associatedData: Uint8Array): Promise<Secret>;
  /** SP 800-108 in counter mode; see derivation.ts. @throws DomainError `vault-blob-invalid`: no such version. */
  derive(masterVersion: number, fixedData: Uint8Array, length: number): Promise<Secret>;
  /**
   * Opens a JWE compact (RFC 7516), ECDH-ES+A256KW with A256GCM.
   * @throws DomainError (unprocessable) `administrator-key-not-sealed`, `administrator-key-seal-invalid`,
   *   `administrator-key-sealed-for-another-vault`.
   */
  openImport(jwe: string): Promise<OpenedImport>;
  /** Wipes what it holds. */
  close(): Promise<void>;
}
