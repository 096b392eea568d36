import type { Secret } from '@cardwright/protocol';
import type { ImportPublicKey } from './operations.ts';

export const PROVIDER_NAMES = ['file', 'pkcs11'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

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
  readonly name: ProviderName;
  /** All that are open: more than one while keys move. */
  readonly holders: readonly ProviderName[];
  /** The one that new data keys are wrapped with. */
  readonly kekVersion: number;
  /** The one that new deterministic keys are derived from. */
  readonly masterVersion: number;
  readonly importPublicKey: ImportPublicKey;

  /** @param dataKey 32 bytes; lent. */
  wrap(dataKey: Secret, associatedData: Uint8Array): Promise<WrappedDataKey>;
  /**
   * @throws DomainError `vault-blob-invalid` (internal): not wrapped here, or not with these associated data;
   *   `vault-key-encryption-key-changed` (unavailable): that KEK was destroyed meanwhile, read the row again.
   */
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

/** What a provider has in clear and can lend; a token or a KMS has no such ability. */
export interface Extraction {
  /** 32 bytes; lent. */
  master(version: number): Secret;
  /** PKCS#8 DER, P-256; lent. */
  importKey(): Secret;
}

/**
 * A provider whose keys can be made, rotated and moved: what each provider implements. Use cases see only
 * {@link KeyProvider}. Each method is durable when it returns, and safe to repeat after a crash at any point.
 * How a KMS would do it: providers/README.md.
 */
export interface ManagedProvider extends KeyProvider {
  /** What it holds now, ascending. May be empty while a move is under way. */
  readonly kekVersions: readonly number[];
  readonly masterVersions: readonly number[];
  /** Of the recovery key, if there was a ceremony: new keys must go to the recovery file before they are used. */
  readonly recoveryKey: RecoveryPublicKey | null;
  /** As `wrap`, under a version of the caller's choice. */
  wrapWith(kekVersion: number, dataKey: Secret, associatedData: Uint8Array): Promise<Uint8Array>;
  /** Looks again at what it holds: another process may have made or destroyed versions. Cheap when nothing changed. */
  refresh(): Promise<void>;
  /** @param key 32 bytes, lent; made by the provider when undefined. No effect if the version is there. */
  addKek(version: number, key?: Secret): Promise<void>;
  /** For ever. No effect if it is not there. */
  destroyKek(version: number): Promise<void>;
  /** As addKek. */
  addMaster(version: number, key?: Secret): Promise<void>;
  /** Makes the import key, or takes that one (PKCS#8 DER; lent), if it has none. */
  addImportKey(key?: Secret): Promise<void>;
  setRecoveryKey(key: RecoveryPublicKey): Promise<void>;
  /** Destroys all that it holds. */
  dispose(): Promise<void>;
  /** Absent where keys can't be had in clear. */
  readonly extract?: Extraction;
}

/** P-256 point and how many of how many shares make its private key. */
export interface RecoveryPublicKey {
  /** Uncompressed, 65 bytes. */
  readonly point: Uint8Array;
  readonly threshold: number;
  readonly shares: number;
}
