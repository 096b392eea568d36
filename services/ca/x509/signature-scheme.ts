import { type Bytes, nullValue, objectIdentifier, sequence } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { dottedOid, readDer } from '../asn1/reader.ts';
import { CERTIFICATE_BOUNDS, keyType } from './public-key.ts';

/** How a key signs here: each key has one way, so that nothing has to be agreed on. */
export interface SignatureScheme {
  readonly hash: 'sha256' | 'sha384';
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Buffer;
}

// ECDSA has no parameters (RFC 5758 3.2); RSA's are NULL (RFC 4055 5). The hash of ECDSA is as strong as its curve.
const ON_CURVE: Readonly<Record<string, SignatureScheme>> = {
  [OID.p256]: { hash: 'sha256', algorithm: sequence(objectIdentifier(OID.ecdsaWithSha256)) },
  [OID.p384]: { hash: 'sha384', algorithm: sequence(objectIdentifier(OID.ecdsaWithSha384)) },
};
const RSA: SignatureScheme = {
  hash: 'sha256',
  algorithm: sequence(objectIdentifier(OID.sha256WithRsa), nullValue()),
};

/**
 * @param publicKeyInfo SubjectPublicKeyInfo, DER
 * @throws RangeError for a key that no authority here has: other than RSA, P-256 and P-384
 */
export function signatureScheme(publicKeyInfo: Bytes): SignatureScheme {
  const info = readDer(publicKeyInfo, CERTIFICATE_BOUNDS);
  const type = keyType(info);
  const curve = info.children[0]?.children[1];
  const scheme = type === 'rsa' ? RSA : type === 'ec' && curve ? ON_CURVE[dottedOid(curve)] : undefined;
  if (scheme === undefined) throw new RangeError('an authority has a key of RSA, P-256 or P-384');
  return scheme;
}
