/** What the vault keeps in a token. One vault a token: objects are found by label and version. */
export const TOKEN_KINDS = ['kek', 'master', 'import-key', 'recovery-key'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

export interface TokenObject {
  readonly kind: TokenKind;
  readonly version: number;
}

/** A token and what is done in it. Bytes that are given are copied; bytes that come back are the caller's to wipe. */
export interface Token {
  list(): Promise<readonly TokenObject[]>;
  /** Makes a secret key in the token, or puts these 32 bytes there; never to be had out again. */
  addSecretKey(kind: 'kek' | 'master', version: number, value: Uint8Array | null): Promise<void>;
  /** Makes the import key, or puts this one there: its scalar, 32 bytes, and its point, 65 bytes. */
  addImportKey(key: { readonly scalar: Uint8Array; readonly point: Uint8Array } | null): Promise<void>;
  addRecoveryKey(value: Uint8Array): Promise<void>;
  destroy(kind: TokenKind, version: number): Promise<void>;
  /** AES-256-GCM under a KEK: nonce (12) || ciphertext || tag (16). */
  encrypt(version: number, data: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array>;
  /** @throws DomainError `vault-blob-invalid` (internal), `vault-key-encryption-key-changed` (unavailable). */
  decrypt(version: number, sealed: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array>;
  /** HMAC-SHA-256 under a master secret, 32 bytes. */
  hmac(version: number, data: Uint8Array): Promise<Uint8Array>;
  /** x coordinate of the import key times that point (65 bytes), 32 bytes. */
  agree(point: Uint8Array): Promise<Uint8Array>;
  /** The import key's point, 65 bytes. */
  importPoint(): Promise<Uint8Array>;
  recoveryKey(): Promise<Uint8Array>;
  random(count: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What goes to the thread that talks to the token, and what comes back. */
export interface TokenRequest {
  readonly id: number;
  readonly operation: Exclude<keyof Token, 'close'>;
  readonly parameters: readonly unknown[];
}

export type TokenAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: TokenFailure };

export interface TokenFailure {
  readonly reason:
    | 'away'
    | 'pin-wrong'
    | 'pin-locked'
    | 'pin-unreadable'
    | 'gone'
    | 'invalid'
    | 'extractable'
    | 'failed';
  readonly detail: string;
}
