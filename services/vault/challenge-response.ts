import { createCipheriv } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import type { ChallengeMode, ImportableAlgorithm } from './operations.ts';

const CIPHERS = { tdes: 'des-ede3', 'aes-128': 'aes-128', 'aes-192': 'aes-192', 'aes-256': 'aes-256' } as const;

export const MAX_CHALLENGE_BYTES = 64;

export function blockBytes(algorithm: ImportableAlgorithm): 8 | 16 {
  return algorithm === 'tdes' ? 8 : 16;
}

/**
 * The answer of a minidriver card's administrator key: the challenge encrypted, zero IV, no padding. On one block ECB and
 * CBC agree; on more they differ, and the card's profile says which it speaks.
 * @throws DomainError `challenge-length` (unprocessable).
 */
export function encryptChallenge(
  key: Uint8Array,
  algorithm: ImportableAlgorithm,
  challenge: Uint8Array,
  mode: ChallengeMode,
): Uint8Array {
  const block = blockBytes(algorithm);
  const { length } = challenge;
  if (length === 0 || length % block !== 0 || length > MAX_CHALLENGE_BYTES) {
    throw new DomainError(
      'unprocessable',
      'challenge-length',
      `The challenge has ${length} bytes; a card with a key for ${algorithm} gives ${block}, or a multiple of it up to ` +
        `${MAX_CHALLENGE_BYTES}`,
    );
  }
  const iv = mode === 'ecb' ? null : new Uint8Array(block);
  const cipher = createCipheriv(`${CIPHERS[algorithm]}-${mode}`, key, iv);
  cipher.setAutoPadding(false);
  return new Uint8Array(Buffer.concat([cipher.update(challenge), cipher.final()]));
}

/** Key check value: the first 3 bytes of the encrypted zero block, upper-case hex. It tells keys apart, not what they are. */
export function keyCheckValue(key: Uint8Array, algorithm: ImportableAlgorithm): string {
  const zero = new Uint8Array(blockBytes(algorithm));
  return Buffer.from(encryptChallenge(key, algorithm, zero, 'ecb').subarray(0, 3))
    .toString('hex')
    .toUpperCase();
}
