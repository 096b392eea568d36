import { createPublicKey } from 'node:crypto';
import { DomainError } from '../errors.ts';
import { OBJECT_ATTRIBUTE, TPM_ALG, TPM_ECC_NIST_P256 } from './constants.ts';
import { type EccPublic, parsePublic, type RsaPublic } from './public-area.ts';
import { type Bytes, concat } from './wire.ts';

/** A TPM's storage key, to which an administrator key may be wrapped. Coordinates have 32 bytes. */
export type StorageParent =
  | { readonly kind: 'ecc'; readonly x: Bytes; readonly y: Bytes; readonly name: Bytes }
  | { readonly kind: 'rsa'; readonly modulus: Bytes; readonly exponent: number; readonly name: Bytes };

const { fixedTPM, fixedParent, sensitiveDataOrigin, restricted, decrypt, sign } = OBJECT_ATTRIBUTE;

/**
 * Takes only what a TPM made for itself: restricted decryption key, fixed to the TPM and to its parent, SHA-256 Names,
 * AES-128-CFB inside. So far this is what the key *says* of itself: that a TPM stands behind it is for attestation to prove.
 * Throws `tpm-structure-malformed` or `tpm-parent-not-allowed`.
 */
export function parseStoragePublic(tpm2bPublic: Bytes): StorageParent {
  const area = parsePublic(tpm2bPublic);
  if (area.kind === 'keyed-hash') throw notAllowed('it must be an RSA or ECC key');
  if (area.nameAlg !== TPM_ALG.SHA256) throw notAllowed('its nameAlg must be SHA-256');
  const must = fixedTPM | fixedParent | sensitiveDataOrigin | restricted | decrypt;
  if ((area.attributes & must) !== must || (area.attributes & sign) !== 0) {
    throw notAllowed('it must be a restricted decryption key that is fixed to its TPM and its parent');
  }
  const inner = area.symmetric;
  if (inner === 'none' || inner.algorithm !== TPM_ALG.AES || inner.keyBits !== 128 || inner.mode !== TPM_ALG.CFB) {
    throw notAllowed('its symmetric algorithm must be AES-128 in CFB mode');
  }
  if (area.scheme !== 'none') throw notAllowed('a storage key has no scheme of its own');
  return area.kind === 'ecc' ? eccParent(area) : rsaParent(area);
}

function eccParent(area: EccPublic): StorageParent {
  if (area.curve !== TPM_ECC_NIST_P256) throw notAllowed('its curve must be P-256');
  const x = coordinate(area.x);
  const y = coordinate(area.y);
  try {
    // OpenSSL refuses a point that is not on the curve: an invalid point must not meet the ephemeral secret.
    createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: base64url(x), y: base64url(y) } });
  } catch (cause) {
    throw notAllowed('its point is not on the curve', cause);
  }
  return { kind: 'ecc', x, y, name: area.name };
}

function rsaParent(area: RsaPublic): StorageParent {
  if (![2048, 3072, 4096].includes(area.keyBits)) throw notAllowed('an RSA key must have 2048, 3072 or 4096 bits');
  if (area.exponent !== 65_537) throw notAllowed('an RSA key must have the exponent 65537');
  if (((area.modulus[0] ?? 0) & 0x80) === 0 || ((area.modulus.at(-1) ?? 0) & 1) === 0) {
    throw notAllowed('its modulus must be odd and of full length');
  }
  return { kind: 'rsa', modulus: area.modulus, exponent: area.exponent, name: area.name };
}

/** TPMs may leave leading zeros out. */
function coordinate(bytes: Bytes): Bytes {
  if (bytes.length > 32) throw notAllowed('a coordinate has at most 32 bytes');
  return concat(new Uint8Array(32 - bytes.length), bytes);
}

function base64url(bytes: Bytes): string {
  return Buffer.from(bytes).toString('base64url');
}

function notAllowed(detail: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', 'tpm-parent-not-allowed', `No storage key of a TPM: ${detail}.`, { cause });
}
