/**
 * The keys that a container of a card may hold, as profiles name them. `hash`: what its certification request is signed
 * with, and the least that suits the key's strength (SP 800-57 part 1, table 2 and 3).
 */
export const KEY_TYPES = {
  'ec-p256': { hash: 'sha256', words: 'an ECC key on P-256' },
  'ec-p384': { hash: 'sha384', words: 'an ECC key on P-384' },
  'rsa-2048': { hash: 'sha256', words: 'an RSA key of 2048 bits' },
  'rsa-3072': { hash: 'sha256', words: 'an RSA key of 3072 bits' },
} as const;

export type KeyType = keyof typeof KEY_TYPES;
export const KEY_TYPE_NAMES = Object.keys(KEY_TYPES) as [KeyType, ...KeyType[]];
