import { createHash } from 'node:crypto';
import { CERTIFICATE_MALFORMED, type ParsedCertificate, parseCertificate } from './certificate.ts';
import {
  allowsUse,
  basicConstraints,
  EXTENSION,
  extendedKeyUsages,
  hasUnknownCritical,
  KEY_USAGE,
  read,
} from './certificate-rules.ts';
import { type Trust, verifyChain } from './chain.ts';
import { DerReader, dotted, TAG } from './der.ts';
import type { EndorsementKey } from './endorsement-key.ts';
import { refused, same } from './refusal.ts';

type Bytes = Uint8Array;

/** tcg-kp-EKCertificate (TCG EK Credential Profile, section 3.2.14). */
const EK_USAGE = '2.23.133.8.1';
/** tcg-at-tpmManufacturer, -tpmModel, -tpmVersion (the same, section 3.1.2). */
const ATTRIBUTES = { manufacturer: '2.23.133.2.1', model: '2.23.133.2.2', version: '2.23.133.2.3' } as const;
/** Certificates that a device may send between its own and the root. */
export const MAX_CHAIN = 8;

/** Which TPM it is, by its maker's word. */
export interface EndorsedTpm {
  /** Vendor id as the maker wrote it, such as `id:49465800`. */
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
  /** SHA-256 of the endorsement key's certificate, lower-case hex. */
  readonly certificateDigest: string;
  /** The root that vouches, SHA-256, lower-case hex. */
  readonly rootDigest: string;
}

export interface EndorsementClaim {
  readonly endorsementKey: EndorsementKey;
  /** DER */
  readonly certificate: Bytes;
  /** DER: those above it, in any order; the configured roots are added. */
  readonly chain: readonly Bytes[];
}

/**
 * Holds a TPM's endorsement key against its maker's certificate, and that against the configured roots. That the TPM is
 * there at all is for credential activation to prove. Throws `ek-certificate-malformed`, `ek-certificate-of-another-key`,
 * `ek-certificate-not-for-ek`, and what verifyChain throws.
 */
export function verifyEndorsement(claim: EndorsementClaim, trust: Trust, now: Date): EndorsedTpm {
  if (claim.chain.length > MAX_CHAIN) {
    throw refused(CERTIFICATE_MALFORMED, `At most ${MAX_CHAIN} certificates may come with it.`);
  }
  const certificate = parseCertificate(claim.certificate);
  demandForEndorsement(certificate, claim.endorsementKey.kind);
  const identity = readIdentity(certificate);
  if (!holdsKey(certificate, claim.endorsementKey)) {
    const detail = 'The certificate is of another key than the endorsement key that came with it.';
    throw refused('ek-certificate-of-another-key', detail);
  }
  const path = verifyChain(certificate, claim.chain.map(parseCertificate), trust, now);
  const digest = (bytes: Bytes) => createHash('sha256').update(bytes).digest('hex');
  return {
    ...identity,
    certificateDigest: digest(certificate.bytes),
    rootDigest: digest(path.at(-1)?.bytes ?? certificate.bytes),
  };
}

function demandForEndorsement(certificate: ParsedCertificate, kind: EndorsementKey['kind']): void {
  const notForIt = (detail: string) =>
    refused('ek-certificate-not-for-ek', `No certificate of an endorsement key: ${detail}.`);
  if (basicConstraints(certificate).ca) throw notForIt('it is of a CA');
  if (!extendedKeyUsages(certificate).includes(EK_USAGE)) {
    throw notForIt(`its extended key usage lacks tcg-kp-EKCertificate (${EK_USAGE})`);
  }
  const use = kind === 'rsa' ? KEY_USAGE.keyEncipherment : KEY_USAGE.keyAgreement;
  if (!allowsUse(certificate, use)) throw notForIt('its key usage does not allow what an endorsement key is for');
  if (hasUnknownCritical(certificate)) throw notForIt('it has a critical extension that is not known here');
}

function readIdentity(certificate: ParsedCertificate): Pick<EndorsedTpm, 'manufacturer' | 'model' | 'version'> {
  const found = new Map<string, string>();
  const names = read(certificate, EXTENSION.subjectAltName)?.inside('subjectAltName');
  while (names?.more === true) {
    const name = names.next('a name');
    // directoryName is [4] EXPLICIT Name.
    if (name.tag === 0xa4) readDirectoryName(name.content, found);
  }
  const value = (id: string) => found.get(id);
  const [manufacturer, model, version] = [
    value(ATTRIBUTES.manufacturer),
    value(ATTRIBUTES.model),
    value(ATTRIBUTES.version),
  ];
  if (manufacturer === undefined || model === undefined || version === undefined) {
    const detail = 'No certificate of an endorsement key: it does not name maker, model and version of a TPM.';
    throw refused('ek-certificate-not-for-ek', detail);
  }
  return { manufacturer, model, version };
}

function readDirectoryName(bytes: Bytes, found: Map<string, string>): void {
  const rdns = new DerReader(bytes, CERTIFICATE_MALFORMED).inside('directoryName');
  while (rdns.more) {
    const set = rdns.inside('a part of the name', TAG.set);
    while (set.more) {
      const attribute = set.inside('an attribute');
      const id = dotted(attribute.next('its name', TAG.objectIdentifier).content);
      found.set(id, readable(attribute.next('its value').content));
    }
  }
}

/** What is stored and shown: printable ASCII, at most 100 characters. */
function readable(content: Bytes): string {
  return Buffer.from(content)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 100);
}

/**
 * Compares the numbers themselves: some makers certify RSA endorsement keys as id-RSAES-OAEP, which OpenSSL does not read
 * as a key.
 */
function holdsKey({ publicKeyInfo }: ParsedCertificate, key: EndorsementKey): boolean {
  const info = new DerReader(publicKeyInfo, CERTIFICATE_MALFORMED);
  const algorithm = info.inside('its algorithm');
  const name = dotted(algorithm.next('its name', TAG.objectIdentifier).content);
  const bits = info.next('the key', TAG.bitString).content.subarray(1);
  if (key.kind === 'ecc') {
    const curve = key.curve === 'prime256v1' ? '1.2.840.10045.3.1.7' : '1.3.132.0.34';
    const named = algorithm.optional('its curve', TAG.objectIdentifier);
    const point = Buffer.concat([Uint8Array.of(4), key.x, key.y]);
    return name === '1.2.840.10045.2.1' && named !== undefined && dotted(named.content) === curve && same(bits, point);
  }
  if (name !== '1.2.840.113549.1.1.1' && name !== '1.2.840.113549.1.1.7') return false;
  const numbers = new DerReader(bits, CERTIFICATE_MALFORMED).inside('the RSA key');
  const unsigned = (content: Bytes) => (content[0] === 0 ? content.subarray(1) : content);
  const modulus = unsigned(numbers.next('modulus', TAG.integer).content);
  const exponent = Buffer.from(numbers.next('exponent', TAG.integer).content).toString('hex');
  return same(modulus, key.modulus) && Number.parseInt(exponent, 16) === key.exponent;
}
