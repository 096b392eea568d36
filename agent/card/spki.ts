import { bitString, NULL, objectIdentifier, SEQUENCE, tlv, unsignedInteger } from './der.ts';

type Bytes = Uint8Array;

const RSA_ENCRYPTION = tlv(SEQUENCE, objectIdentifier('1.2.840.113549.1.1.1'), NULL);
const EC_PUBLIC_KEY = objectIdentifier('1.2.840.10045.2.1');
/** RFC 5480, section 2.1.1.1. */
const CURVES = {
  'P-256': { identifier: objectIdentifier('1.2.840.10045.3.1.7'), bytes: 32 },
  'P-384': { identifier: objectIdentifier('1.3.132.0.34'), bytes: 48 },
} as const;

/** SubjectPublicKeyInfo of a point (RFC 5480, section 2). A TPM may leave leading zeros of a coordinate out. */
export function ecPublicKeyInfo(curve: keyof typeof CURVES, x: Bytes, y: Bytes): Bytes {
  const { identifier, bytes } = CURVES[curve];
  const padded = (coordinate: Bytes): number[] => [
    ...new Uint8Array(Math.max(0, bytes - coordinate.length)),
    ...coordinate,
  ];
  const point = Uint8Array.from([0x04, ...padded(x), ...padded(y)]);
  return tlv(SEQUENCE, tlv(SEQUENCE, EC_PUBLIC_KEY, identifier), bitString(point));
}

/** SubjectPublicKeyInfo of an RSA key (RFC 3279, section 2.3.1). */
export function rsaPublicKeyInfo(modulus: Bytes, exponent: number): Bytes {
  const e = Uint8Array.of(exponent >>> 24, exponent >>> 16, exponent >>> 8, exponent);
  return tlv(SEQUENCE, RSA_ENCRYPTION, bitString(tlv(SEQUENCE, unsignedInteger(modulus), unsignedInteger(e))));
}
