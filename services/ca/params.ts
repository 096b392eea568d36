import { DomainError } from '@cardwright/protocol';
import type { FindParams, RevokeParams } from './api.ts';
import type { IssueRequest } from './issuance/issue.ts';
import { PERSON_PROFILES, type PersonProfile } from './issuance/profiles.ts';
import { isRevocationReason } from './revocation/reasons.ts';

/**
 * What comes over the link, judged before anything is done with it. Everything not asked for is refused.
 * @throws DomainError `field-invalid` (invalid), its `fields` saying which and what is right
 */
export function parseIssue(params: unknown): IssueRequest {
  const top = record(params, '', ['requestId', 'csr', 'profile', 'subject', 'subjectAltName', 'validitySeconds']);
  const subject = record(top.subject, '/subject', ['commonName']);
  const names = record(top.subjectAltName, '/subjectAltName', ['userPrincipalName', 'email']);
  const { userPrincipalName, email } = names;
  const seconds = top.validitySeconds;
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 60) {
    throw wrong('/validitySeconds', 'must be a whole number of seconds, at least 60');
  }
  return {
    requestId: requestId(top.requestId),
    csr: bytes(top.csr),
    profile: profile(top.profile),
    commonName: commonName(subject.commonName),
    subjectAltName: {
      ...(userPrincipalName == null ? {} : { userPrincipalName: principal(userPrincipalName) }),
      ...(email == null ? {} : { email: emailAddress(email) }),
    },
    validitySeconds: seconds,
  };
}

export function parseFind(params: unknown): FindParams {
  return { requestId: requestId(record(params, '', ['requestId']).requestId) };
}

export function parseRevoke(params: unknown): Omit<RevokeParams, 'revokedAt'> & { readonly revokedAt: Date } {
  const { serialNumber, reason, revokedAt } = record(params, '', ['serialNumber', 'reason', 'revokedAt']);
  if (!isRevocationReason(reason)) throw wrong('/reason', 'must be a reason of RFC 5280 5.3.1 that this CA takes');
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
  const date = new Date(text(revokedAt, '/revokedAt', time, 'must be an RFC 3339 time in UTC'));
  if (Number.isNaN(date.getTime())) throw wrong('/revokedAt', 'must be a time that exists');
  // Any short text: what is no serial number of ours is unknown, and that is the answer.
  return {
    serialNumber: text(serialNumber, '/serialNumber', /^[0-9A-Za-z]{1,64}$/, 'must be hexadecimal'),
    reason,
    revokedAt: date,
  };
}

const requestId = (value: unknown) =>
  text(value, '/requestId', /^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters');

/** Anything that is not base64url can't be a CSR; its length is bounded by the frame it came in. */
function bytes(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]+$/.test(value)) throw wrong('/csr', 'must be base64url of DER');
  return Buffer.from(value, 'base64url');
}

function profile(value: unknown): PersonProfile {
  if (typeof value === 'string' && Object.hasOwn(PERSON_PROFILES, value)) return value as PersonProfile;
  throw wrong('/profile', `must be one of: ${Object.keys(PERSON_PROFILES).join(', ')}`);
}

/** ub-common-name is 64 characters (RFC 5280 appendix A.1). Control characters could forge what a log or a dialog shows. */
const commonName = (value: unknown) =>
  text(value, '/subject/commonName', /^(?!\s)[^\p{Cc}\p{Cs}\p{Co}\p{Cn}]{1,64}(?<!\s)$/u, 'must be 1 to 64 characters');

/** No slash, either way: Kerberos and Windows give both a meaning of their own, and the name would map elsewhere. */
const principal = (value: unknown) => {
  const form = /^[^\s@/\\\p{C}]{1,128}@[^\s@/\\\p{C}]{1,127}$/u;
  return text(value, '/subjectAltName/userPrincipalName', form, 'must be of the form user@domain, without slashes');
};

/** rfc822Name is ASCII (RFC 5280 4.2.1.6). */
const emailAddress = (value: unknown) => {
  const form = /^(?=.{3,254}$)[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9.-]+$/;
  return text(value, '/subjectAltName/email', form, 'must be an e-mail address in ASCII');
};

function text(value: unknown, pointer: string, form: RegExp, right: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw wrong(pointer, right);
  return value;
}

function record(value: unknown, pointer: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(pointer, 'must be an object');
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong(pointer, `may only have the fields ${known.join(', ')}`);
  return value as Record<string, unknown>;
}

function wrong(pointer: string, detail: string): DomainError {
  const fields = [{ pointer, detail }];
  return new DomainError('invalid', 'field-invalid', `${pointer || 'the request'} ${detail}`, { fields });
}
