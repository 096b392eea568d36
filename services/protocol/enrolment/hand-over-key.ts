import { createPrivateKey, createPublicKey, type KeyObject, scrypt } from 'node:crypto';
import type { HandOverCode } from './hand-over-code.ts';

export const HAND_OVER_SALT_BYTES = 16;
export const HAND_OVER_KEY_BYTES = 32;

/** RFC 7914. Some 0.1 s and 32 MiB: nothing for one person, and on top of 80 random bits for who has the public key. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
/** RFC 8410, section 7: a PKCS #8 PrivateKeyInfo of X25519, up to the 32 bytes of the key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
/** RFC 8410, section 4: a SubjectPublicKeyInfo of X25519, up to the 32 bytes of the key. */
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** The key pair that follows from a hand-over code and the salt of its enrolment. */
export interface HandOverKey {
  readonly privateKey: KeyObject;
  /** X25519 (RFC 7748), 32 bytes. All that anybody keeps of it. */
  readonly publicKey: Uint8Array;
}

export async function handOverKey(code: HandOverCode, salt: Uint8Array): Promise<HandOverKey> {
  const password = Buffer.from(`cardwright hand-over\0${code}`, 'utf8');
  const seed = await new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, HAND_OVER_KEY_BYTES, COST, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  try {
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    return { privateKey, publicKey: new Uint8Array(spki.subarray(SPKI_PREFIX.length)) };
  } finally {
    for (const secret of [password, seed, der]) secret.fill(0);
  }
}

/** The key of 32 bytes as node:crypto takes it. */
export function x25519PublicKey(publicKey: Uint8Array): KeyObject {
  if (publicKey.length !== HAND_OVER_KEY_BYTES) throw new RangeError('an X25519 key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}
