import { createCipheriv } from 'node:crypto';
import type { Bytes, KeyAlgorithm } from './port.ts';

const KEY_BYTES: Readonly<Record<KeyAlgorithm, number>> = { tdes: 24, 'aes-128': 16, 'aes-192': 24, 'aes-256': 32 };
export const blockBytes = (algorithm: KeyAlgorithm): number => (algorithm === 'tdes' ? 8 : 16);

export const fits = (key: Bytes, algorithm: KeyAlgorithm): boolean => key.length === KEY_BYTES[algorithm];

/**
 * The first three bytes of the encrypted zero block: says of a key that it is the one meant, and next to nothing else.
 * `key` fits the algorithm.
 */
export function keyCheckValue(key: Bytes, algorithm: KeyAlgorithm): Bytes {
  const name = algorithm === 'tdes' ? 'des-ede3' : `${algorithm}-ecb`;
  const cipher = createCipheriv(name, key, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(new Uint8Array(blockBytes(algorithm))).subarray(0, 3));
}
