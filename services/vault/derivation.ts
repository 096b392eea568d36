import { createHmac } from 'node:crypto';
import type { Algorithm } from './operations.ts';

const HASH_BYTES = 32;

/**
 * NIST SP 800-108r1 section 4.1: KDF in counter mode, PRF HMAC-SHA-256, a 32-bit counter before the fixed data.
 * @param fixedData Label || 00 || Context || [L]; see {@link administratorKeyContext}.
 * @param length bytes of key, at most 255 * 32.
 */
export function counterModeKdf(key: Uint8Array, fixedData: Uint8Array, length: number): Uint8Array {
  return counterModeHmac(key, fixedData, length, 4);
}

/** The same with a counter of `counterBytes`: other systems use one byte (r = 8), we use four (r = 32). */
export function counterModeHmac(
  key: Uint8Array,
  fixedData: Uint8Array,
  length: number,
  counterBytes: 1 | 4,
): Uint8Array {
  const blocks = Math.ceil(length / HASH_BYTES);
  if (length < 1 || blocks > 255) throw new RangeError('a derived key has 1 to 8160 bytes');
  const derived = new Uint8Array(blocks * HASH_BYTES);
  const counter = new Uint8Array(counterBytes);
  for (let i = 1; i <= blocks; i++) {
    counter[counterBytes - 1] = i;
    const block = createHmac('sha256', key).update(counter).update(fixedData).digest();
    derived.set(block, (i - 1) * HASH_BYTES);
    block.fill(0);
  }
  const result = derived.slice(0, length);
  derived.fill(0);
  return result;
}

/** What a derived secret is for: the key that answers, or the value that hides it in its TPM public area. */
export type DerivedUse = 'administrator-key' | 'tpm-seed-value';

/**
 * Fixed data of a deterministic administrator key. No two cards, versions, algorithms or uses share it: each part before
 * the last has a fixed alphabet without the NUL that ends it. The layout can't change as long as a card lives.
 * @param length bytes of key to be derived.
 */
export function administratorKeyContext(
  of: { readonly cardId: string; readonly keyVersion: number; readonly algorithm: Algorithm },
  use: DerivedUse,
  length: number,
): Uint8Array {
  const label = `cardwright ${use}`;
  const context = `${of.cardId}\0${of.keyVersion}\0${of.algorithm}`;
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(length * 8);
  return new Uint8Array(Buffer.concat([Buffer.from(`${label}\0${context}`, 'utf8'), bits]));
}
