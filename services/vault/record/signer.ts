import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { KeyProvider } from '../provider.ts';
import { type Head, signedText } from './entry.ts';

/** Signs the record, and knows its own signatures again. */
export interface RecordSigner {
  /** Version of the master secret that the key comes from. */
  readonly keyVersion: number;
  /** SPKI DER, Ed25519 (RFC 8410). */
  readonly publicKey: Uint8Array;
  /** Ed25519 (RFC 8032), 64 bytes. */
  sign(content: Uint8Array): Uint8Array;
  signHead(head: Head): Uint8Array;
}

const SEED_BYTES = 32;
/** PKCS#8 of an Ed25519 key is this and the seed (RFC 8410 section 7). */
const PKCS8_BEFORE_SEED = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The key is derived from the master secret in the provider (SP 800-108), so every provider has it, and it moves with the
 * master secret. It signs nothing but the record.
 */
export async function recordSigner(
  provider: Pick<KeyProvider, 'masterVersion' | 'derive'>,
  keyVersion: number = provider.masterVersion,
): Promise<RecordSigner> {
  const privateKey = await signingKey(provider, keyVersion);
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  const signContent = (content: Uint8Array) => new Uint8Array(sign(null, content, privateKey));
  return { keyVersion, publicKey, sign: signContent, signHead: (head) => signContent(signedText(head)) };
}

async function signingKey(provider: Pick<KeyProvider, 'derive'>, version: number): Promise<KeyObject> {
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(SEED_BYTES * 8);
  const fixedData = Buffer.concat([Buffer.from('cardwright record-signing-key\0vault record\0', 'utf8'), bits]);
  const seed = await provider.derive(version, fixedData, SEED_BYTES);
  try {
    return seed.use((bytes) => {
      const der = Buffer.concat([PKCS8_BEFORE_SEED, bytes]);
      try {
        return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      } finally {
        der.fill(0);
      }
    });
  } finally {
    seed.wipe();
  }
}

export function publicKeyOf(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
}

export function isSignedBy(key: KeyObject, content: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, content, key, signature);
}
