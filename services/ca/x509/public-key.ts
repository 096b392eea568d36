import { createHash } from 'node:crypto';
import { OID } from '../asn1/oids.ts';
import { type DerBounds, type DerValue, dottedOid, readDer } from '../asn1/reader.ts';

/** Bounds of the certificates, their bodies and the keys that this CA handles. */
export const CERTIFICATE_BOUNDS: DerBounds = { maxBytes: 16_384, maxDepth: 12, maxValues: 400 };

/** The bits of subjectPublicKey of a SubjectPublicKeyInfo (RFC 5280 4.1.2.7). @throws DerError, RangeError */
export function keyBits(publicKeyInfo: Uint8Array): Buffer {
  const bits = readDer(publicKeyInfo, CERTIFICATE_BOUNDS).children[1];
  if (bits === undefined) throw new RangeError('a SubjectPublicKeyInfo has two parts');
  return bits.content.subarray(1);
}

/** RFC 7093 method 1: the first 160 bits of SHA-256 of the key's bits. */
export const keyIdentifier = (bits: Uint8Array): Buffer => createHash('sha256').update(bits).digest().subarray(0, 20);

export type KeyType = 'ec' | 'rsa';

/** @param info a SubjectPublicKeyInfo, read. @returns null for a key that this CA certifies in nobody's name. */
export function keyType({ children: [algorithm] }: DerValue): KeyType | null {
  const [oid] = algorithm?.children ?? [];
  if (oid === undefined) return null;
  const dotted = dottedOid(oid);
  return dotted === OID.ecKey ? 'ec' : dotted === OID.rsaKey ? 'rsa' : null;
}
