import type { CertificateKind, FindParams } from './api.ts';
import type { IssueRequest } from './issuance/issue.ts';
import { KINDS } from './issuance/profiles.ts';
import { record, text, wrong } from './params-form.ts';
import { parseNames } from './params-names.ts';

/**
 * What comes over the link, judged before anything is done with it. Everything not asked for is refused.
 * @throws DomainError `field-invalid` (invalid), its `fields` saying which and what is right
 */
export function parseIssue(params: unknown): IssueRequest {
  const top = record(params, '', [
    'requestId',
    'csr',
    'profile',
    'subject',
    'subjectAltName',
    'securityIdentifier',
    'validitySeconds',
  ]);
  const seconds = top.validitySeconds;
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 60) {
    throw wrong('/validitySeconds', 'must be a whole number of seconds, at least 60');
  }
  return {
    requestId: requestId(top.requestId),
    csr: bytes(top.csr),
    profile: profile(top.profile),
    names: parseNames(top.subject, top.subjectAltName, top.securityIdentifier),
    validitySeconds: seconds,
  };
}

export function parseFind(params: unknown): FindParams {
  return { requestId: requestId(record(params, '', ['requestId']).requestId) };
}

const requestId = (value: unknown) =>
  text(value, '/requestId', /^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters');

/** Anything that is not base64url can't be a CSR; its length is bounded by the frame it came in. */
function bytes(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]+$/.test(value)) throw wrong('/csr', 'must be base64url of DER');
  return Buffer.from(value, 'base64url');
}

function profile(value: unknown): CertificateKind {
  if (typeof value === 'string' && Object.hasOwn(KINDS, value)) return value as CertificateKind;
  throw wrong('/profile', `must be one of: ${Object.keys(KINDS).join(', ')}`);
}
