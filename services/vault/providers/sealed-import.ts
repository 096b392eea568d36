import { createPublicKey, type KeyObject } from 'node:crypto';
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
export async function importPublicKeyOf(privateKey: KeyObject): Promise<ImportPublicKey> {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new TypeError('the import key must be an EC key');
  const point = { kty: 'EC', crv: 'P-256', x, y } as const;
  return { ...point, kid: await calculateJwkThumbprint(point), use: 'enc', alg: ALG };
}

/** See KeyProvider.openImport. Errors never show a part of what was sent: it may be a key in clear. */
export async function openSealedImport(jwe: string, privateKey: KeyObject, ownKid: string): Promise<OpenedImport> {
  if (!COMPACT.test(jwe)) {
    throw refusal(
      'not-sealed',
      'the key must be sealed to the vault (JWE compact, RFC 7516) before it is sent. A key that was sent in clear is ' +
        'known to more than the vault: give the card another one',
    );
  }
  const header = readHeader(jwe);
  if (Object.keys(header).some((name) => !HEADERS.includes(name)) || header.alg !== ALG || header.enc !== ENC) {
    throw refusal(
      'seal-invalid',
      `the seal must be ${ALG} with ${ENC}, and its header hold only: ${HEADERS.join(', ')}`,
    );
  }
  if (header.kid !== ownKid) {
    throw refusal('sealed-for-another-vault', 'the seal is for another key (kid): ask for the import key again');
  }
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
      keyManagementAlgorithms: [ALG],
      contentEncryptionAlgorithms: [ENC],
      maxDecompressedLength: 0,
    });
    const { cardSerial } = protectedHeader;
    return { cardSerial: typeof cardSerial === 'string' ? cardSerial : undefined, text: Secret.take(plaintext) };
  } catch (cause) {
    throw refusal('seal-invalid', 'the seal does not open: it was altered on its way', cause);
  }
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
