import { createPublicKey, type KeyObject } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';

const ALLOWED = 'allowed are P-256, P-384 and RSA of 2048 to 4096 bits';

/** SubjectPublicKeyInfo lengths of an uncompressed point on a named curve (RFC 5480 2). */
const EC_INFO_BYTES: Readonly<Record<string, number>> = { prime256v1: 91, secp384r1: 120 };

/**
 * The key of a CSR, when this CA certifies its kind.
 * @param info SubjectPublicKeyInfo, DER
 * @throws DomainError `csr-key-not-allowed` (unprocessable)
 */
export function allowedKey(info: Buffer): KeyObject {
  const key = openKey(info);
  const details = key.asymmetricKeyDetails ?? {};
  // A second encoding of the same key would slip through comparisons by bytes: only OpenSSL's own one is taken.
  if (!key.export({ type: 'spki', format: 'der' }).equals(info)) refuse('the key is not in its canonical form');
  if (key.asymmetricKeyType === 'ec') {
    const curve = details.namedCurve ?? 'unnamed';
    const bytes = EC_INFO_BYTES[curve];
    if (bytes === undefined) refuse(`the key is on the curve ${curve}; ${ALLOWED}`);
    if (bytes !== info.length) refuse('an EC key must be an uncompressed point on a named curve');
    return key;
  }
  if (key.asymmetricKeyType !== 'rsa') refuse(`the key is of type ${key.asymmetricKeyType}; ${ALLOWED}`);
  const bits = details.modulusLength ?? 0;
  if (bits < 2048 || bits > 4096) refuse(`the RSA key has ${bits} bits; ${ALLOWED}`);
  const exponent = details.publicExponent ?? 0n;
  // NIST SP 800-89 5.3.3: odd, from 65537, under 2^256.
  if (exponent < 65537n || exponent % 2n === 0n || exponent >= 1n << 256n) {
    refuse('the public exponent of an RSA key must be odd and at least 65537');
  }
  checkModulus(modulusOf(key));
  return key;
}

function openKey(info: Buffer): KeyObject {
  try {
    return createPublicKey({ key: info, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new DomainError('unprocessable', 'csr-key-not-allowed', `the key can't be read; ${ALLOWED}`, { cause });
  }
}

function modulusOf(key: KeyObject): bigint {
  const { n } = key.export({ format: 'jwk' });
  return BigInt(`0x${Buffer.from(n ?? '', 'base64url').toString('hex')}`);
}

const PRIMES = smallPrimes(167);

/**
 * Small factors, and the fingerprint of the RSA keys that Infineon TPMs and cards made until 2017 (CVE-2017-15361,
 * "ROCA"): their modulus is a power of 65537 modulo every small prime. Such a key can be factored from the certificate
 * alone, and this is a system for just that hardware. A sound key matches by chance less than once in 2^80.
 */
function checkModulus(modulus: bigint): void {
  if (PRIMES.some((prime) => modulus % BigInt(prime) === 0n)) refuse('the RSA modulus has a small factor');
  const suspicious = PRIMES.every((prime) => powersOf65537(prime).has(Number(modulus % BigInt(prime))));
  if (suspicious) {
    refuse('the RSA key has the fingerprint of ROCA (CVE-2017-15361): update the TPM firmware and make a new key');
  }
}

function powersOf65537(prime: number): Set<number> {
  const step = 65537 % prime;
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * step) % prime) powers.add(power);
  return powers;
}

function smallPrimes(limit: number): number[] {
  const primes: number[] = [];
  for (let n = 2; n <= limit; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

function refuse(detail: string): never {
  throw new DomainError('unprocessable', 'csr-key-not-allowed', detail);
}
