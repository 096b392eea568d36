import { bitString, NULL, objectIdentifier, SEQUENCE, tlv, unsignedInteger } from './der.ts';

type Bytes = Uint8Array;

const RSA_ENCRYPTION = tlv(SEQUENCE, objectIdentifier('1.2.840.113549.1.1.1'), NULL);
const EC_P256 = tlv(SEQUENCE, objectIdentifier('1.2.840.10045.2.1'), objectIdentifier('1.2.840.10045.3.1.7'));

/** SubjectPublicKeyInfo of a point on P-256 (RFC 5480, section 2). Coordinates of 32 bytes. */
export function ecP256PublicKeyInfo(x: Bytes, y: Bytes): Bytes {
  return tlv(SEQUENCE, EC_P256, bitString(Uint8Array.from([0x04, ...x, ...y])));
}

/** SubjectPublicKeyInfo of an RSA key (RFC 3279, section 2.3.1). */
export function rsaPublicKeyInfo(modulus: Bytes, exponent: number): Bytes {
  const e = Uint8Array.of(exponent >>> 24, exponent >>> 16, exponent >>> 8, exponent);
  return tlv(SEQUENCE, RSA_ENCRYPTION, bitString(tlv(SEQUENCE, unsignedInteger(modulus), unsignedInteger(e))));
}
