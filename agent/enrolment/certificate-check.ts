import { X509Certificate } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';

/**
 * Checks a certificate before the card takes it: it is for our key, it chains by signatures to the root that came with
 * it, every issuer may issue, and it has not ended. OpenSSL parses (node:crypto), so that hostile bytes meet the parser
 * that the rest of the system uses too.
 *
 * Not guaranteed: that the root is one the organisation trusts. It comes from the server that the person chose.
 */
export interface IssuedCertificate {
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER, the issuer first, a self-signed root last. */
  readonly chain: readonly Uint8Array[];
  /** SubjectPublicKeyInfo of the card's key, DER. */
  readonly publicKey: Uint8Array;
  readonly now: Date;
}

export interface CertificateFacts {
  readonly serialNumber: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

/** A device's clock may be a little behind the CA's. */
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

/**
 * Throws, all of kind `unprocessable`: `certificate-malformed`, `certificate-for-another-key`,
 * `certificate-chain-broken`, `certificate-not-in-force`.
 */
export function checkIssued(issued: IssuedCertificate): CertificateFacts {
  const leaf = parse(issued.certificate);
  const chain = issued.chain.map(parse);
  if (!spki(leaf).equals(issued.publicKey)) {
    throw refuse('certificate-for-another-key', 'The server sent a certificate for a key that is not on this card.');
  }
  if (leaf.ca) throw broken('what was issued is a CA certificate');
  if (chain.length === 0) throw broken('the chain is empty');
  const path = [leaf, ...chain];
  for (const [index, certificate] of path.entries()) {
    // The last one is the root, which signs itself.
    const issuer = path[index + 1] ?? certificate;
    const name = index === 0 ? 'the certificate' : `certificate ${index} of the chain`;
    if (!issuer.ca) throw broken(`the issuer of ${name} is not a CA`);
    if (!certificate.checkIssued(issuer) || !verifies(certificate, issuer)) {
      throw broken(`${name} was not issued by the one after it`);
    }
    const from = Date.parse(certificate.validFrom);
    const to = Date.parse(certificate.validTo);
    const now = issued.now.getTime();
    // Written so that a time that could not be read (NaN) is refused too.
    if (!(now + CLOCK_TOLERANCE_MS >= from && now <= to)) {
      throw refuse(
        'certificate-not-in-force',
        `By this device's clock (${issued.now.toISOString()}) ${name} is not in force ` +
          `(${certificate.validFrom} to ${certificate.validTo}). Is the clock right?`,
      );
    }
  }
  return facts(leaf);
}

/** What to show of a certificate (DER) in our store. */
export function certificateFacts(certificate: Uint8Array): CertificateFacts {
  return facts(parse(certificate));
}

/** RFC 7468. */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function facts(certificate: X509Certificate): CertificateFacts {
  return {
    serialNumber: certificate.serialNumber.toLowerCase(),
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}

/** Node gives one attribute a line, and escapes control characters in values. */
const oneLine = (name: string) => name.split('\n').join(', ');

function parse(der: Uint8Array): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    // PEM would be taken too, and bytes after the end: only the exact DER is what we store and hand out.
    if (!certificate.raw.equals(der)) throw new Error('not exactly one DER certificate');
    spki(certificate); // a key that can't be read shows only here
    if (Number.isNaN(Date.parse(certificate.validFrom)) || Number.isNaN(Date.parse(certificate.validTo)))
      throw new Error('a time that is none');
    return certificate;
  } catch (cause) {
    throw new DomainError('unprocessable', 'certificate-malformed', 'The server sent what is not a DER certificate.', {
      cause,
    });
  }
}

function spki(certificate: X509Certificate): Buffer {
  return certificate.publicKey.export({ type: 'spki', format: 'der' });
}

function verifies(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false; // a key of another kind than the signature's
  }
}

const refuse = (code: string, detail: string) => new DomainError('unprocessable', code, detail);
const broken = (reason: string) =>
  refuse('certificate-chain-broken', `The certificate the server sent does not chain to a root: ${reason}.`);
