/**
 * The pre-issuance lint. It reads the very bytes that are about to be signed, with a reader that is independent
 * of the writer, and holds them to RFC 5280 and to the profile. What it passes comes out as a token good
 * for one signature: signing something unchecked, or twice, can't be typed.
 */
import { TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { DerError, type DerValue, dottedOid, readDer, rfc5280Time } from '../asn1/reader.ts';
import { CERTIFICATE_BOUNDS } from '../x509/public-key.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';
import type { Intent } from './intent.ts';
import { type Check, lintExtensions } from './lint-extensions.ts';
import { lintKey } from './lint-key.ts';

/** A defect of ours, never of the caller: the body must not be signed. */
export class LintError extends Error {
  readonly findings: readonly string[];

  constructor(findings: readonly string[]) {
    super(`a certificate was not signed: ${findings.join('; ')}`);
    this.name = 'LintError';
    this.findings = findings;
  }
}

const KEY = Symbol('lint');

/** A body that passed, with a private copy of its bytes. */
export class LintedCertificate {
  #body: Buffer | undefined;

  /** For {@link lintCertificate} alone: the key never leaves this module. */
  constructor(key: symbol, body: Uint8Array) {
    if (key !== KEY) throw new TypeError('only the lint makes one of these');
    this.#body = Buffer.from(body);
  }

  /** @throws Error the second time. */
  take(): Buffer {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined) throw new Error('a linted certificate is signed once');
    return body;
  }
}

/** @throws LintError with everything that is wrong with `body` (a TBSCertificate). */
export function lintCertificate(body: Uint8Array, intent: Intent): LintedCertificate {
  const copy = Buffer.from(body);
  const findings: string[] = [];
  const check = (ok: boolean, finding: string) => {
    if (!ok) findings.push(finding);
  };
  try {
    lintBody(readDer(copy, CERTIFICATE_BOUNDS), intent, check);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    findings.push(`not the DER it should be: ${error.message}`);
  }
  if (findings.length > 0) throw new LintError(findings);
  return new LintedCertificate(KEY, copy);
}

function lintBody(tbs: DerValue, intent: Intent, check: Check): void {
  const [version, serial, algorithm, issuer, validity, subject, publicKey, extensions, ...rest] = tbs.children;
  if (
    tbs.tag !== TAG.sequence ||
    !version ||
    !serial ||
    !algorithm ||
    !issuer ||
    !validity ||
    !subject ||
    !publicKey ||
    !extensions ||
    rest.length > 0
  ) {
    check(false, 'a TBSCertificate of this CA has exactly eight parts (RFC 5280 4.1)');
    return;
  }
  check(version.raw.equals(Buffer.from('a003020102', 'hex')), 'version is not v3 (4.1.2.1)');
  lintSerial(serial, intent.serialNumber, check);
  const ofIssuer = intent.issuer?.signatureAlgorithm ?? signatureScheme(intent.publicKey).algorithm;
  check(algorithm.raw.equals(ofIssuer), 'the algorithm is not that of the issuer, with its parameters (4.1.2.3)');
  check(
    issuer.raw.equals(intent.issuer === null ? subject.raw : intent.issuer.name),
    'the issuer is not the subject of the issuing certificate, byte by byte (4.1.2.4)',
  );
  check(issuer.children.length > 0, 'the issuer is empty (4.1.2.4)');
  lintValidity(validity, intent, check);
  lintSubject(subject, intent, check);
  check(publicKey.raw.equals(intent.publicKey), 'the key is not the one whose possession was proved');
  lintKey(publicKey, check);
  lintExtensions(extensions, publicKey, intent, check);
}

function lintSerial(serial: DerValue, recorded: Uint8Array, check: Check): void {
  const { content } = serial;
  check(serial.tag === TAG.integer, 'the serial number is no INTEGER');
  check((content[0] ?? 0x80) < 0x80, 'the serial number is negative (4.1.2.2)');
  check(content.length <= 20, 'the serial number is over 20 octets (4.1.2.2)');
  check(content.length >= 16, 'the serial number is under 128 bits');
  check(
    content.some((byte) => byte !== 0),
    'the serial number is zero (4.1.2.2)',
  );
  const magnitude = content[0] === 0 ? content.subarray(1) : content;
  check(magnitude.equals(recorded), 'the serial number is not the one that is recorded');
}

function lintValidity(validity: DerValue, { profile, issuer }: Intent, check: Check): void {
  const [first, last, ...rest] = validity.children;
  if (first === undefined || last === undefined || rest.length > 0) {
    check(false, 'validity has two times (4.1.2.5)');
    return;
  }
  const notBefore = rfc5280Time(first).getTime();
  const notAfter = rfc5280Time(last).getTime();
  check(notBefore < notAfter, 'it ends before it begins (4.1.2.5)');
  check((notAfter - notBefore) / 1000 <= profile.maxValiditySeconds, 'it is valid for longer than its profile allows');
  check(issuer === null || notAfter <= issuer.notAfter.getTime(), 'it outlives its issuer');
}

/**
 * The organization where there is one, then the common name: an RDN each, UTF8String, 1 to 64 characters
 * (ub-common-name, ub-organization-name, RFC 5280 appendix A.1).
 */
function lintSubject(subject: DerValue, { commonName, organization }: Intent, check: Check): void {
  const wanted: [string, string][] = [[OID.commonName, commonName]];
  if (organization !== undefined) wanted.unshift([OID.organizationName, organization]);
  check(subject.children.length === wanted.length, 'the subject has not the parts that were asked for');
  for (const [at, [oid, text]] of wanted.entries()) {
    const rdn = subject.children[at];
    const [type, value, ...rest] = rdn?.children[0]?.children ?? [];
    if (rdn?.children.length !== 1 || type === undefined || value === undefined || rest.length > 0) {
      check(false, 'the subject is not of its form (4.1.2.6)');
      continue;
    }
    check(dottedOid(type) === oid && value.tag === TAG.utf8String, `the subject has no UTF8String ${oid} in its place`);
    check(value.content.equals(Buffer.from(text, 'utf8')), 'the subject is not the one that was asked for');
    const length = [...text].length;
    check(length >= 1 && length <= 64, `${oid} of the subject is not of 1 to 64 characters`);
  }
}
