import { TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { type DerValue, dottedOid, readDer } from '../asn1/reader.ts';
import { CERTIFICATE_BOUNDS } from '../x509/public-key.ts';
import type { Check } from './lint-extensions.ts';

/** Bytes of a coordinate on each curve that may be certified. */
const CURVES: Readonly<Record<string, number>> = { [OID.p256]: 32, [OID.p384]: 48 };
const LEAST_BITS = 2048;
const MOST_BITS = 4096;

/**
 * That a key is as strong as any that is certified here, read once more and apart from key-policy.ts (which knows more:
 * whether a point is on its curve, and what is wrong with a modulus).
 */
export function lintKey({ tag, children }: DerValue, check: Check): void {
  const [algorithm, bits, ...rest] = children;
  const [type, parameters, ...more] = algorithm?.children ?? [];
  const form = tag === TAG.sequence && bits?.tag === TAG.bitString && bits.content[0] === 0;
  if (!form || type === undefined || parameters === undefined || rest.length > 0 || more.length > 0) {
    check(false, 'the key is not of its form (4.1.2.7)');
    return;
  }
  const key = bits.content.subarray(1);
  if (dottedOid(type) === OID.ecKey) {
    const bytes = parameters.tag === TAG.objectIdentifier ? CURVES[dottedOid(parameters)] : undefined;
    check(bytes !== undefined, 'the key is on no curve that is certified (RFC 5480 2.1.1)');
    check(key[0] === 4 && key.length === 1 + 2 * (bytes ?? 0), 'the key is no uncompressed point (RFC 5480 2.2)');
  } else if (dottedOid(type) === OID.rsaKey) {
    check(parameters.tag === TAG.null, 'the parameters of an RSA key are not NULL (RFC 3279 2.3.1)');
    lintRsa(readDer(key, CERTIFICATE_BOUNDS), check);
  } else {
    check(false, 'the key is of no type that is certified');
  }
}

function lintRsa({ children: [modulus, exponent, ...rest] }: DerValue, check: Check): void {
  if (modulus?.tag !== TAG.integer || exponent?.tag !== TAG.integer || rest.length > 0) {
    check(false, 'the RSA key is not of its form (RFC 8017 A.1.1)');
    return;
  }
  const bits = bitsOf(modulus.content);
  check(bits >= LEAST_BITS && bits <= MOST_BITS, `the RSA key has ${bits} bits`);
  const odd = ((exponent.content.at(-1) ?? 0) & 1) === 1 && ((modulus.content.at(-1) ?? 0) & 1) === 1;
  check(odd && bitsOf(exponent.content) >= 17, 'the RSA key has an even number in it, or an exponent under 65537');
}

/** Of a positive INTEGER's content; 0 for a negative one. */
function bitsOf(content: Buffer): number {
  const [first = 0x80, second = 0] = content;
  if (first >= 0x80) return 0;
  return first === 0
    ? (content.length - 2) * 8 + (32 - Math.clz32(second))
    : (content.length - 1) * 8 + (32 - Math.clz32(first));
}
