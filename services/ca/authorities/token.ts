import type { AuthorityKeyType } from './key-types.ts';

/** A PKCS#11 token, and how it is signed in to. */
export interface TokenPlace {
  /** The module, a shared library. */
  readonly module: string;
  readonly label: string;
  /** Its user PIN, in one line, mode 0600. */
  readonly pinFile: string;
}

/** Where in a token an authority's key is: the content of issuing.token. Nothing in it is secret. */
export interface TokenKey {
  readonly format: 'cardwright-token-key-1';
  readonly label: string;
  /** CKA_ID, hexadecimal. */
  readonly id: string;
}

export interface Token {
  /** Makes a pair in the token, its private half never to be had out. @returns SubjectPublicKeyInfo, DER */
  makeKey(id: string, type: AuthorityKeyType): Promise<Uint8Array>;
  /**
   * @param input for `ecdsa` the digest; for `rsa` the DigestInfo (RFC 8017 9.2)
   * @returns r and s, each as long as the curve's order; or the signature of RSA
   */
  sign(id: string, algorithm: 'ecdsa' | 'rsa', input: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface TokenRequest {
  readonly number: number;
  readonly operation: 'makeKey' | 'sign';
  readonly parameters: readonly unknown[];
}

export interface TokenFailure {
  readonly code: 'token-away' | 'token-pin-refused' | 'token-key-missing' | 'token-key-extractable' | 'token-failed';
  readonly detail: string;
}

export type TokenAnswer =
  | { readonly number: number; readonly value: Uint8Array }
  | { readonly number: number; readonly failure: TokenFailure };
