import { X509Certificate } from 'node:crypto';
import { DerReader, dotted, TAG, timeOf, type Value } from './der.ts';
import { refused } from './refusal.ts';

type Bytes = Uint8Array;

export const CERTIFICATE_MALFORMED = 'ek-certificate-malformed';
/** Makers' certificates have one or two kilobytes; the NV index that holds one is rarely larger. */
export const MAX_CERTIFICATE_BYTES = 8192;
const MAX_EXTENSIONS = 40;

export interface Extension {
  readonly critical: boolean;
  readonly value: Bytes;
}

/** An X.509 certificate (RFC 5280, section 4.1) as far as a chain is judged by it. */
export interface ParsedCertificate {
  /** DER */
  readonly bytes: Bytes;
  readonly subject: Bytes;
  readonly issuer: Bytes;
  /** Lower-case hex of the INTEGER, without leading zeros. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signatureAlgorithm: string;
  /** The content of SubjectPublicKeyInfo: algorithm, then key. */
  readonly publicKeyInfo: Bytes;
  readonly extensions: ReadonlyMap<string, Extension>;
  /** For its signature and its public key. */
  readonly x509: X509Certificate;
}

/** Throws `ek-certificate-malformed`. */
export function parseCertificate(der: Bytes): ParsedCertificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw refused(CERTIFICATE_MALFORMED, `A certificate has at most ${MAX_CERTIFICATE_BYTES} bytes.`);
  }
  const outer = new DerReader(der, CERTIFICATE_MALFORMED);
  const whole = outer.inside('the certificate');
  outer.end('the certificate');
  const tbs = whole.inside('what is signed');
  const signatureAlgorithm = dotted(whole.inside('the signature algorithm').next('its name').content);
  if (tbs.optional('version', 0xa0) === undefined) tbs.fail('not of version 3');
  const serialNumber = tbs.next('the serial number', TAG.integer).content;
  tbs.next('the signature algorithm', TAG.sequence);
  const issuer = tbs.next('the issuer', TAG.sequence).raw;
  const validity = tbs.inside('the validity');
  const notBefore = timeIn(validity, 'its beginning');
  const notAfter = timeIn(validity, 'its end');
  const subject = tbs.next('the subject', TAG.sequence).raw;
  const publicKeyInfo = tbs.next('the public key', TAG.sequence).content;
  tbs.optional('issuerUniqueID', 0x81);
  tbs.optional('subjectUniqueID', 0x82);
  const extensions = readExtensions(tbs);
  tbs.end('what is signed');
  return {
    bytes: der,
    subject,
    issuer,
    serialNumber: Buffer.from(serialNumber)
      .toString('hex')
      .replace(/^(00)+(?=..)/, ''),
    notBefore,
    notAfter,
    signatureAlgorithm,
    publicKeyInfo,
    extensions,
    x509: opened(der),
  };
}

function readExtensions(tbs: DerReader): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (!tbs.more) return extensions;
  const list = tbs.inside('the extensions', 0xa3).inside('the extensions');
  while (list.more) {
    const extension = list.inside('an extension');
    const id = dotted(extension.next('its name', TAG.objectIdentifier).content);
    const critical = extension.optional('critical', TAG.boolean)?.content[0] === 0xff;
    const value = extension.next('its value', TAG.octetString).content;
    extension.end('an extension');
    if (id === '' || extensions.has(id)) list.fail('an extension without a name, or one that is there twice');
    if (extensions.size === MAX_EXTENSIONS) list.fail(`more than ${MAX_EXTENSIONS} extensions`);
    extensions.set(id, { critical, value });
  }
  return extensions;
}

function timeIn(validity: DerReader, what: string): Date {
  const value: Value = validity.next(what);
  return timeOf(value) ?? validity.fail(`${what} is no time of RFC 5280`);
}

/** OpenSSL's view, which must agree that it is a certificate. It reads the public key only when it is asked for. */
function opened(der: Bytes): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw refused(CERTIFICATE_MALFORMED, 'It is not a certificate in DER.', cause);
  }
}
