import { createDecipheriv, createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import { calculateJwkThumbprint, compactDecrypt, decodeProtectedHeader } from 'jose';
import type { ImportPublicKey } from '../operations.ts';
import type { OpenedImport } from '../provider.ts';

const ALG = 'ECDH-ES+A256KW';
const ENC = 'A256GCM';
const HEADERS = ['alg', 'enc', 'epk', 'kid', 'cardSerial', 'typ'];
/** Five parts; that of the encrypted key is empty for algorithms that are refused with a better word. */
const COMPACT = /^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/;

/** The kid is the RFC 7638 thumbprint. */
export async function importPublicKeyOf(key: KeyObject): Promise<ImportPublicKey> {
  const { x, y } = (key.type === 'public' ? key : createPublicKey(key)).export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new TypeError('the import key must be an EC key');
  const point = { kty: 'EC', crv: 'P-256', x, y } as const;
  return { ...point, kid: await calculateJwkThumbprint(point), use: 'enc', alg: ALG };
}

/** See KeyProvider.openImport. Errors never show a part of what was sent: it may be a key in clear. */
export async function openSealedImport(jwe: string, privateKey: KeyObject, ownKid: string): Promise<OpenedImport> {
  demandOurs(jwe, ownKid);
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
      keyManagementAlgorithms: [ALG],
      contentEncryptionAlgorithms: [ENC],
      maxDecompressedLength: 0,
    });
    return opened(protectedHeader, Secret.take(plaintext));
  } catch (cause) {
    throw altered(cause);
  }
}

/**
 * The same where the private key is in a token, which only does the agreement: the rest of RFC 7518 section 4.6 and RFC 7516
 * section 5.2 is done here.
 * @param agree gives the x coordinate of the private key times that point (uncompressed, on the curve), 32 bytes.
 */
export async function openImportWith(
  jwe: string,
  ownKid: string,
  agree: (point: Uint8Array) => Promise<Secret>,
): Promise<OpenedImport> {
  const header = demandOurs(jwe, ownKid);
  const [protectedHeader = '', encryptedKey = '', iv = '', ciphertext = '', tag = ''] = jwe.split('.');
  let sender: KeyObject;
  try {
    // createPublicKey refuses a point that is not on the curve: the answer to such a one would tell of the private key.
    sender = createPublicKey({ key: { ...(header.epk as JsonWebKey), kty: 'EC', crv: 'P-256' }, format: 'jwk' });
  } catch (cause) {
    throw altered(cause);
  }
  const shared = await agree(pointOf(sender));
  const wrappingKey = shared.use((z) => concatKdf(z, ALG));
  shared.wipe();
  try {
    const unwrap = createDecipheriv('id-aes256-wrap', wrappingKey, Buffer.alloc(8, 0xa6));
    const contentKey = Buffer.concat([unwrap.update(bytes(encryptedKey)), unwrap.final()]);
    try {
      const decipher = createDecipheriv('aes-256-gcm', contentKey, bytes(iv), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(protectedHeader, 'ascii')).setAuthTag(bytes(tag));
      const text = decipher.update(bytes(ciphertext));
      decipher.final();
      return opened(header, Secret.take(text));
    } finally {
      contentKey.fill(0);
    }
  } catch (cause) {
    throw altered(cause);
  } finally {
    wrappingKey.fill(0);
  }
}

/** Uncompressed (SEC 1 section 2.3.3), 65 bytes. @param key P-256. */
export function pointOf(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Uint8Array.from([4, ...bytes(x), ...bytes(y)]);
}

/** RFC 7518 section 4.6.2, for 256 bits: one round, without apu and apv. */
function concatKdf(z: Uint8Array, algorithm: string): Buffer {
  const word = (value: number) => Buffer.of(0, 0, value >> 8, value & 0xff);
  const name = Buffer.from(algorithm, 'ascii');
  return createHash('sha256')
    .update(Buffer.concat([word(1), z, word(name.length), name, word(0), word(0), word(256)]))
    .digest();
}

function bytes(base64url: string): Buffer {
  return Buffer.from(base64url, 'base64url');
}

function opened({ cardSerial }: Record<string, unknown>, text: Secret): OpenedImport {
  return { cardSerial: typeof cardSerial === 'string' ? cardSerial : undefined, text };
}

function altered(cause: unknown): DomainError {
  return refusal('seal-invalid', 'the seal does not open: it was altered on its way', cause);
}

function demandOurs(jwe: string, ownKid: string): Record<string, unknown> {
  if (!COMPACT.test(jwe)) {
    throw refusal(
      'not-sealed',
      'The key must be sealed to the vault (JWE compact, RFC 7516) before it is sent. A key that was sent in clear is ' +
        'known to more than the vault: give the card another one.',
    );
  }
  const header = readHeader(jwe);
  if (Object.keys(header).some((name) => !HEADERS.includes(name)) || header.alg !== ALG || header.enc !== ENC) {
    throw refusal(
      'seal-invalid',
      `The seal must be ${ALG} with ${ENC}, and its header hold only: ${HEADERS.join(', ')}`,
    );
  }
  if (header.kid !== ownKid) {
    throw refusal('sealed-for-another-vault', 'The seal is for another key (kid): ask for the import key again.');
  }
  return header;
}

function readHeader(jwe: string): Record<string, unknown> {
  try {
    return decodeProtectedHeader(jwe);
  } catch (cause) {
    throw refusal('seal-invalid', 'the protected header of the seal is not JSON', cause);
  }
}

function refusal(code: string, detail: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', `administrator-key-${code}`, detail, { cause });
}
