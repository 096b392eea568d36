import { createHash } from 'node:crypto';
import { KEY_TYPES } from '@cardwright/protocol';
import type { HashName, KeyType } from '../card/port.ts';

/**
 * A certification request (RFC 2986) for a key whose private half is on a card: the caller signs the digest. The subject
 * is a placeholder, since the server writes subject and names from its own records.
 */
export interface UnsignedRequest {
  /** CertificationRequestInfo, DER. */
  readonly info: Uint8Array;
  /** The hash that suits the key, and what it gives for `info`: what the card signs. */
  readonly hash: HashName;
  readonly digest: Uint8Array;
}

// RFC 5758 3.2 ecdsa-with-SHA256 and -SHA384 (no parameters); RFC 4055 5 sha256WithRSAEncryption (NULL parameters).
const RSA_SHA256 = '300d06092a864886f70d01010b0500';
const ALGORITHM: Record<KeyType, string> = {
  'ec-p256': '300a06082a8648ce3d040302',
  'ec-p384': '300a06082a8648ce3d040303',
  'rsa-2048': RSA_SHA256,
  'rsa-3072': RSA_SHA256,
};
const COMMON_NAME = '0603550403';

/** `publicKey`: SubjectPublicKeyInfo, DER. `commonName`: 1 to 64 characters (RFC 5280, ub-common-name). */
export function certificationRequestInfo(publicKey: Uint8Array, commonName: string, keyType: KeyType): UnsignedRequest {
  const value = Buffer.from(commonName, 'utf8');
  if (value.length === 0 || [...commonName].length > 64) throw new RangeError('a common name has 1 to 64 characters');
  const name = der(0x30, der(0x31, der(0x30, Buffer.from(COMMON_NAME, 'hex'), der(0x0c, value))));
  // version 0, subject, key, and no attributes: [0] is mandatory even when empty.
  const info = der(0x30, Buffer.from('020100', 'hex'), name, publicKey, der(0xa0));
  const { hash } = KEY_TYPES[keyType];
  return { info, hash, digest: createHash(hash).update(info).digest() };
}

/** `signature`: a DER Ecdsa-Sig-Value, or the RSA block. Gives the CertificationRequest, DER. */
export function certificationRequest(info: Uint8Array, keyType: KeyType, signature: Uint8Array): Uint8Array {
  const bits = der(0x03, Uint8Array.of(0), signature);
  return der(0x30, info, Buffer.from(ALGORITHM[keyType], 'hex'), bits);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const { length } = body;
  // X.690 8.1.3: short form below 128, else the count of length bytes. Requests stay far below 64 KiB.
  if (length > 0xffff) throw new RangeError('too long for a request');
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(head), body]);
}
