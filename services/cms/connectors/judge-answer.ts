import { createPublicKey } from 'node:crypto';
import { isDomainError } from '@cardwright/protocol';
import { DerReader, dotted, type ParsedCertificate, parseCertificate, TAG } from '@cardwright/protocol/attestation';
import type { IssuanceRequest } from '../certificates/index.ts';
import { KINDS } from './kinds.ts';
import { type Names, namesOfSecurityExtension, namesOfSubject, namesOfSubjectAltName, wantedNames } from './names.ts';
import { badAnswer } from './refusals.ts';

/** A CA's certificates, pinned in the configuration: who signs comes first, the root last. */
export type PinnedChain = readonly [issuing: ParsedCertificate, ...above: ParsedCertificate[]];

const EXTENSION = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  securityIdentifier: '1.3.6.1.4.1.311.25.2',
};
/** Bits of KeyUsage, in their order (RFC 5280 section 4.2.1.3). */
const KEY_USAGES = [
  ...['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'],
  ...['keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly'],
];
/** RSA with SHA-256, -384, -512, RSA-PSS, ECDSA with the same, Ed25519. SHA-1 is not among them. */
const SIGNATURES: ReadonlySet<string> = new Set([
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13', '1.2.840.113549.1.1.10'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4', '1.3.101.112'],
]);
/** Clocks of CAs go wrong by minutes, and some CAs date back by an hour; this much more than was asked is let pass. */
const TOLERANCE_MILLIS = 3_600_000;

/**
 * Those certificates of an answer that the pinned CA signed: each of them is in the world now, wanted or not. What else is
 * in an answer is its chain, which is not taken from there: the pinned one is.
 * @throws DomainError `ca-answer-malformed`, `ca-answer-not-from-ca`: there is none.
 */
export function certificatesFrom(answer: readonly Uint8Array[], pinned: PinnedChain): ParsedCertificate[] {
  const found: ParsedCertificate[] = [];
  let unreadable: unknown;
  for (const der of answer) {
    try {
      const certificate = read(der);
      if (isFrom(certificate, pinned) && !isPinned(certificate, pinned)) found.push(certificate);
    } catch (error) {
      unreadable = error;
    }
  }
  if (found.length > 0) return found;
  if (unreadable !== undefined) throw unreadable;
  throw notFromCa();
}

const isPinned = (certificate: ParsedCertificate, pinned: PinnedChain): boolean =>
  pinned.some((one) => Buffer.from(one.bytes).equals(certificate.bytes));

const notFromCa = () =>
  badAnswer('ca-answer-not-from-ca', 'The certificate was not signed by the CA of the configuration.');

/** @throws DomainError `ca-answer-malformed`. */
export function read(der: Uint8Array): ParsedCertificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    throw badAnswer('ca-answer-malformed', 'What the CA sent is not a certificate in DER.', error);
  }
}

/** Whether the pinned CA signed it, so that it is the pinned CA that can revoke it. */
export function isFrom(certificate: ParsedCertificate, [issuing]: PinnedChain): boolean {
  if (!SIGNATURES.has(certificate.signatureAlgorithm)) return false;
  if (!Buffer.from(certificate.issuer).equals(issuing.subject)) return false;
  try {
    return certificate.x509.verify(issuing.x509.publicKey);
  } catch {
    return false;
  }
}

/**
 * Judges what a CA sent by nothing but the request: a CA, or whoever stands in its place, gets no say in whose the
 * certificate is, what it is for, and for how long.
 * @throws DomainError (internal) `ca-answer-not-from-ca`, `ca-answer-other-key`, `ca-answer-other-names`,
 *   `ca-answer-other-usage`, `ca-answer-other-validity`, `ca-answer-malformed`.
 */
export function judgeAnswer(
  leaf: ParsedCertificate,
  request: IssuanceRequest,
  publicKeyInfo: Uint8Array,
  pinned: PinnedChain,
  now: Date,
): void {
  if (!isFrom(leaf, pinned)) throw notFromCa();
  try {
    demandKey(leaf, publicKeyInfo);
    demandUsage(leaf, request.profile);
    demandNames(leaf, request);
    demandValidity(leaf, request, now);
  } catch (error) {
    // The readers of what stands inside refuse by codes of their own.
    if (isDomainError(error) && error.kind === 'internal') throw error;
    throw badAnswer('ca-answer-malformed', 'The certificate can not be read whole.', error);
  }
}

function demandKey(leaf: ParsedCertificate, publicKeyInfo: Uint8Array): void {
  const key = leaf.x509.publicKey.export({ format: 'der', type: 'spki' });
  const asked = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
  if (key.equals(asked.export({ format: 'der', type: 'spki' }))) return;
  throw badAnswer('ca-answer-other-key', 'The certificate is for another key than the one of the request.');
}

function demandUsage(leaf: ParsedCertificate, profile: string): void {
  const kind = Object.hasOwn(KINDS, profile) ? KINDS[profile] : undefined;
  if (kind === undefined) throw badAnswer('ca-answer-other-usage', `There is no certificate kind ${profile}.`);
  const wanted = kind.keyUsage[leaf.x509.publicKey.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'];
  const { ca, usages, extended } = usesOf(leaf);
  // A use too many is as wrong as one too few: with client authentication a signature certificate signs people in.
  if (ca || !sameSet(usages, wanted) || !sameSet(extended, kind.extendedKeyUsage)) {
    const detail = `A ${profile} certificate is for ${wanted.join(', ')}; ${kind.extendedKeyUsage.join(', ')} and nothing else. This one is for ${usages.join(', ')}; ${extended.join(', ')}.`;
    throw badAnswer('ca-answer-other-usage', detail);
  }
}

function demandNames(leaf: ParsedCertificate, request: IssuanceRequest): void {
  const wanted = wantedNames(request);
  const has = namesOf(leaf);
  const missing = [...wanted].filter((name) => !has.has(name));
  const mayAdd = (name: string) =>
    name.startsWith('organisation:') || (request.subject.organization === undefined && name.startsWith('o:'));
  const added = [...has].filter((name) => !wanted.has(name) && !mayAdd(name));
  if (missing.length === 0 && added.length === 0) return;
  const detail = `The certificate names others than asked: ${missing.length} names are missing, ${added.length} were added.`;
  throw badAnswer('ca-answer-other-names', detail);
}

/** All that a certificate names. @throws DomainError `names-malformed`. */
export function namesOf(certificate: Pick<ParsedCertificate, 'subject' | 'extensions'>): Names {
  const alternative = certificate.extensions.get(EXTENSION.subjectAltName)?.value;
  const security = certificate.extensions.get(EXTENSION.securityIdentifier)?.value;
  return new Set([
    ...namesOfSubject(certificate.subject),
    ...(alternative === undefined ? [] : namesOfSubjectAltName(alternative)),
    ...(security === undefined ? [] : namesOfSecurityExtension(security)),
  ]);
}

function demandValidity({ notBefore, notAfter }: ParsedCertificate, request: IssuanceRequest, now: Date): void {
  const latest = now.getTime() + request.validitySeconds * 1000 + TOLERANCE_MILLIS;
  const begins = notBefore.getTime() <= now.getTime() + TOLERANCE_MILLIS;
  if (begins && notAfter > now && notAfter.getTime() <= latest) return;
  const detail = `The certificate counts from ${notBefore.toISOString()} to ${notAfter.toISOString()}; asked was for ${request.validitySeconds} s from now.`;
  throw badAnswer('ca-answer-other-validity', detail);
}

export const usesOf = (certificate: ParsedCertificate) => ({
  ca: isCa(certificate),
  usages: keyUsages(certificate),
  extended: extendedKeyUsages(certificate),
});

/** By the extension alone: OpenSSL says no CA of one whose key may not sign certificates, and others may not look. */
function isCa(certificate: ParsedCertificate): boolean {
  const value = certificate.extensions.get(EXTENSION.basicConstraints)?.value;
  if (value === undefined) return false;
  const constraints = new DerReader(value, 'ca-answer-malformed').inside('basicConstraints');
  return constraints.optional('cA', TAG.boolean)?.content.some((byte) => byte !== 0) === true;
}

function keyUsages(certificate: ParsedCertificate): string[] {
  const value = certificate.extensions.get(EXTENSION.keyUsage)?.value;
  if (value === undefined) return [];
  const bits = new DerReader(value, 'ca-answer-malformed').next('keyUsage', TAG.bitString).content;
  return KEY_USAGES.filter((_name, at) => ((bits[1 + (at >>> 3)] ?? 0) & (0x80 >>> (at & 7))) !== 0);
}

function extendedKeyUsages(certificate: ParsedCertificate): string[] {
  const value = certificate.extensions.get(EXTENSION.extendedKeyUsage)?.value;
  if (value === undefined) return [];
  const list = new DerReader(value, 'ca-answer-malformed').inside('extKeyUsage');
  const found: string[] = [];
  while (list.more && found.length < 32) found.push(dotted(list.next('a usage', TAG.objectIdentifier).content));
  return found;
}

function sameSet(some: readonly string[], others: readonly string[]): boolean {
  const [one, other] = [new Set(some), new Set(others)];
  return one.size === other.size && [...one].every((each) => other.has(each));
}
