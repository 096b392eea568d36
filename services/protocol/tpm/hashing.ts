import { createHash, createHmac } from 'node:crypto';
import { type Bytes, concat } from './wire.ts';

/** Everything of the card is SHA-256: Names, policies, sessions. */
export const DIGEST_BYTES = 32;
export const ZERO_DIGEST: Bytes = new Uint8Array(DIGEST_BYTES);

export function sha256(...parts: readonly Bytes[]): Bytes {
  return new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  );
}

/** The other hashes that a TPM's own keys may name. */
export type TpmHash = 'sha256' | 'sha384' | 'sha512';

export function hashWith(hash: TpmHash, ...parts: readonly Bytes[]): Bytes {
  const digest = createHash(hash);
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
}

export function hmacWith(hash: TpmHash, key: Bytes, ...parts: readonly Bytes[]): Bytes {
  const mac = createHmac(hash, key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

export function hmacSha256(key: Bytes, ...parts: readonly Bytes[]): Bytes {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}
