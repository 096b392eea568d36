import { CERTIFICATE_MALFORMED, type ParsedCertificate } from './certificate.ts';
import { DerReader, dotted, TAG } from './der.ts';

type Bytes = Uint8Array;

/** RFC 5280, sections 4.2.1.x. */
export const EXTENSION = {
  subjectDirectoryAttributes: '2.5.29.9',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** KeyUsage bits, counted from the first (RFC 5280, section 4.2.1.3). */
export const KEY_USAGE = { keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 } as const;

/** RSA with SHA-256, -384, -512; RSA-PSS; ECDSA with SHA-256, -384, -512. SHA-1 is not among them. */
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.113549.1.1.10',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
]);

export function hasSoundSignature(certificate: ParsedCertificate): boolean {
  return SIGNATURES.has(certificate.signatureAlgorithm);
}

/** An extension that must be understood and is not in `known`: the certificate can't be judged (RFC 5280, section 4.2). */
export function hasUnknownCritical(certificate: ParsedCertificate): boolean {
  const known: readonly string[] = Object.values(EXTENSION);
  return [...certificate.extensions].some(([id, { critical }]) => critical && !known.includes(id));
}

export interface BasicConstraints {
  readonly ca: boolean;
  /** How many CA certificates may follow below. */
  readonly pathLength: number;
}

export function basicConstraints(certificate: ParsedCertificate): BasicConstraints {
  const body = read(certificate, EXTENSION.basicConstraints)?.inside('basicConstraints');
  if (body === undefined) return { ca: false, pathLength: 0 };
  const ca = body.optional('cA', TAG.boolean)?.content[0] === 0xff;
  const length = body.optional('pathLenConstraint', TAG.integer)?.content;
  return { ca, pathLength: length === undefined ? Number.POSITIVE_INFINITY : smallNumber(length) };
}

/** True if the certificate does not limit the uses of its key, or allows one of these. */
export function allowsUse(certificate: ParsedCertificate, ...uses: readonly number[]): boolean {
  const bits = read(certificate, EXTENSION.keyUsage)?.next('keyUsage', TAG.bitString).content;
  if (bits === undefined) return true;
  return uses.some((use) => ((bits[1 + (use >>> 3)] ?? 0) & (0x80 >>> (use & 7))) !== 0);
}

export function extendedKeyUsages(certificate: ParsedCertificate): string[] {
  const list = read(certificate, EXTENSION.extendedKeyUsage)?.inside('extKeyUsage');
  const found: string[] = [];
  while (list?.more === true && found.length < 32) found.push(dotted(list.next('a usage').content));
  return found;
}

/** False if both say which key it is, and say different ones. */
export function mayBeIssuedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
  if (!Buffer.from(certificate.issuer).equals(issuer.subject)) return false;
  const wanted = read(certificate, EXTENSION.authorityKeyIdentifier)
    ?.inside('authorityKeyIdentifier')
    .optional('keyIdentifier', 0x80)?.content;
  const has = read(issuer, EXTENSION.subjectKeyIdentifier)?.next('subjectKeyIdentifier', TAG.octetString).content;
  return wanted === undefined || has === undefined || Buffer.from(wanted).equals(has);
}

export function read(certificate: ParsedCertificate, extension: string): DerReader | undefined {
  const value = certificate.extensions.get(extension)?.value;
  return value === undefined ? undefined : new DerReader(value, CERTIFICATE_MALFORMED);
}

function smallNumber(integer: Bytes): number {
  return integer.length === 1 ? (integer[0] ?? 0) & 0x7f : 0x7f;
}
