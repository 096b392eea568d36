import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { TPM_ALG } from '../tpm/constants.ts';
import { type Bytes, concat, Reader } from '../tpm/wire.ts';
import { refused } from './refusal.ts';

const COORDINATE_BYTES = 32;

/**
 * A TPMT_SIGNATURE, ECDSA with SHA-256 over P-256 (Part 2, section 11.3.4), as r and s of 32 bytes each: a TPM may leave
 * leading zeros out. Throws `evidence-malformed`, and `evidence-signature-invalid` for another scheme.
 */
export function parseEcdsaSignature(bytes: Bytes): Bytes {
  const reader = new Reader(bytes, 'evidence-malformed', 256);
  const scheme = reader.u16('sigAlg');
  if (scheme !== TPM_ALG.ECDSA || reader.u16('hash') !== TPM_ALG.SHA256) {
    throw refused('evidence-signature-invalid', 'The evidence must be signed by ECDSA with SHA-256.');
  }
  const r = reader.sized(COORDINATE_BYTES, 'signatureR');
  const s = reader.sized(COORDINATE_BYTES, 'signatureS');
  reader.end();
  return concat(padded(r), padded(s));
}

/** @throws what the crypto library throws when the point is not on the curve. */
export function p256Key(x: Bytes, y: Bytes): KeyObject {
  const base64url = (bytes: Bytes) => Buffer.from(padded(bytes)).toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: base64url(x), y: base64url(y) } });
}

/** `signature`: r and s, 32 bytes each (IEEE P1363, as JWS has it too). */
export function isSignedBy(key: KeyObject, message: Bytes, signature: Bytes): boolean {
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function padded(bytes: Bytes): Bytes {
  return concat(new Uint8Array(Math.max(0, COORDINATE_BYTES - bytes.length)), bytes);
}
