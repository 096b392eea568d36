import { createHash, createPublicKey, verify } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { nullValue, objectIdentifier, octetString, sequence, unsignedInteger } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';
import type { Sign } from './authority.ts';
import type { Token } from './token.ts';

const HASH_OID = { sha256: OID.sha256, sha384: OID.sha384 } as const;

/**
 * Signs with a key in a token: the digest is made here, and each signature is checked before it is used, so that a token
 * with another key under that id, or a faulty one, puts nothing into the world.
 * @param publicKey SubjectPublicKeyInfo of the key, DER
 */
export function signInToken(token: Token, id: string, publicKey: Buffer): Sign {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  const { hash } = signatureScheme(publicKey);
  const ec = key.asymmetricKeyType === 'ec';
  return async (bytes) => {
    const digest = createHash(hash).update(bytes).digest();
    const raw = Buffer.from(await token.sign(id, ec ? 'ecdsa' : 'rsa', ec ? digest : digestInfo(hash, digest)));
    const signature = ec ? ecdsaInDer(raw) : raw;
    if (verify(hash, bytes, { key, dsaEncoding: 'der' }, signature)) return signature;
    throw new DomainError('internal', 'token-signature-wrong', `the token's key ${id} is not that of the certificate`);
  };
}

/** DigestInfo (RFC 8017 9.2): what RSASSA-PKCS1-v1_5 pads. */
const digestInfo = (hash: keyof typeof HASH_OID, digest: Buffer): Buffer =>
  sequence(sequence(objectIdentifier(HASH_OID[hash]), nullValue()), octetString(digest));

/** Ecdsa-Sig-Value (RFC 3279 2.2.3) of the r and s that PKCS#11 gives one after the other. */
function ecdsaInDer(raw: Buffer): Buffer {
  const half = raw.length / 2;
  return sequence(unsignedInteger(raw.subarray(0, half)), unsignedInteger(raw.subarray(half)));
}
