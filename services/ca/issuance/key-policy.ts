import { createPublicKey, KeyObject, webcrypto } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { TAG } from '../asn1/der.ts';
import { DerError, readDer } from '../asn1/reader.ts';
import { CERTIFICATE_BOUNDS, keyType } from '../x509/public-key.ts';
import { hasSmallFactor, looksLikeRoca } from './rsa-modulus.ts';

const ALLOWED = 'allowed are P-256, P-384 and RSA of 2048 to 4096 bits';

/** What a SubjectPublicKeyInfo of an uncompressed point on a named curve begins with (RFC 5480 2), and how long it is. */
const CURVES = [
  { name: 'P-256', head: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'), bytes: 91 },
  { name: 'P-384', head: Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex'), bytes: 120 },
];
/** rsaEncryption with NULL (RFC 3279 2.3.1). */
const RSA_ALGORITHM = Buffer.from('300d06092a864886f70d0101010500', 'hex');

/**
 * The key of a CSR, when this CA certifies its kind. A second encoding of the same key would slip through comparisons by
 * bytes: only one is taken.
 * @param info SubjectPublicKeyInfo, DER
 * @throws DomainError `csr-key-not-allowed` (unprocessable)
 */
export async function allowedKey(info: Buffer): Promise<KeyObject> {
  const curve = CURVES.find(({ head, bytes }) => info.length === bytes && info.subarray(0, head.length).equals(head));
  if (curve !== undefined) return pointOn(curve.name, info.subarray(curve.head.length - 1));
  try {
    const value = readDer(info, CERTIFICATE_BOUNDS);
    if (keyType(value) === 'rsa') return rsaKey(value.children[0]?.raw, value.children[1]?.content ?? Buffer.alloc(0));
  } catch (cause) {
    if (cause instanceof DerError) throw notAllowed(`the key can't be read: ${cause.message}; ${ALLOWED}`, cause);
    throw cause;
  }
  return refuse(whatIsWrong(info));
}

/** Takes a third of the time of a SubjectPublicKeyInfo, and refuses points that are not on the curve all the same. */
async function pointOn(namedCurve: string, point: Buffer): Promise<KeyObject> {
  try {
    const algorithm = { name: 'ECDSA', namedCurve };
    return KeyObject.from(await webcrypto.subtle.importKey('raw', point, algorithm, true, ['verify']));
  } catch (cause) {
    throw notAllowed(`the point of the EC key is not on its curve; ${ALLOWED}`, cause);
  }
}

function rsaKey(algorithm: Buffer | undefined, bits: Buffer): KeyObject {
  if (algorithm === undefined || !algorithm.equals(RSA_ALGORITHM) || bits[0] !== 0) {
    refuse('the RSA key is not in its canonical form (RFC 3279 2.3.1)');
  }
  const { tag, children } = readDer(bits.subarray(1), CERTIFICATE_BOUNDS);
  const [modulus, exponent, ...rest] = children;
  const form = tag === TAG.sequence && modulus?.tag === TAG.integer && exponent?.tag === TAG.integer;
  if (!form || rest.length > 0) refuse('the RSA key is not in its canonical form (RFC 8017 A.1.1)');
  const [n, e] = [unsigned(modulus.content), unsigned(exponent.content)];
  const length = n.toString(2).length;
  if (length < 2048 || length > 4096) refuse(`the RSA key has ${length} bits; ${ALLOWED}`);
  // NIST SP 800-89 5.3.3: odd, from 65537, under 2^256.
  if (e < 65537n || e % 2n === 0n || e >= 1n << 256n) {
    refuse('the public exponent of an RSA key must be odd and at least 65537');
  }
  if (hasSmallFactor(n)) refuse('the RSA modulus has a small factor');
  if (looksLikeRoca(n)) {
    refuse('the RSA key has the fingerprint of ROCA (CVE-2017-15361): update the TPM firmware and make a new key');
  }
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const key = { kty: 'RSA', n: text(modulus.content), e: text(exponent.content) };
  return createPublicKey({ key, format: 'jwk' });
}

/** @throws DomainError for a negative number, which is no part of a key */
function unsigned(content: Buffer): bigint {
  if ((content[0] ?? 0x80) >= 0x80) refuse('the RSA key has a negative number in it');
  return BigInt(`0x${content.toString('hex')}`);
}

/** Of what is not taken anyway: slow, and in words. */
function whatIsWrong(info: Buffer): string {
  try {
    const key = createPublicKey({ key: info, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ec') return `the key is of type ${key.asymmetricKeyType}; ${ALLOWED}`;
    const curve = key.asymmetricKeyDetails?.namedCurve ?? 'unnamed';
    if (curve !== 'prime256v1' && curve !== 'secp384r1') return `the key is on the curve ${curve}; ${ALLOWED}`;
    return 'an EC key must be an uncompressed point on a named curve';
  } catch {
    return `the key can't be read; ${ALLOWED}`;
  }
}

function refuse(detail: string): never {
  throw notAllowed(detail);
}

const notAllowed = (detail: string, cause?: unknown) =>
  new DomainError('unprocessable', 'csr-key-not-allowed', detail, { cause });
