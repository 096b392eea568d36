import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** What keys an authority may have. RSA for relying parties that know nothing else. */
export const KEY_TYPES = ['P-256', 'P-384', 'RSA-3072', 'RSA-4096'] as const;
export type AuthorityKeyType = (typeof KEY_TYPES)[number];

export const isKeyType = (text: string): text is AuthorityKeyType => KEY_TYPES.some((type) => type === text);

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function newKeyPair(type: AuthorityKeyType): Promise<KeyPair> {
  const generate = promisify(generateKeyPair);
  if (type === 'P-256' || type === 'P-384') return generate('ec', { namedCurve: type });
  return generate('rsa', { modulusLength: type === 'RSA-3072' ? 3072 : 4096, publicExponent: 65537 });
}
