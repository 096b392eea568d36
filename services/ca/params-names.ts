import type { RequestedNames } from './issuance/names.ts';
import { record, text, wrong } from './params-form.ts';

const MAX_DNS_NAMES = 10;

/** The names of an issue request, each of its form. Which of them belong together is for issuance/names.ts to know. */
export function parseNames(subjectField: unknown, altNames: unknown, sid: unknown): RequestedNames {
  const subject = record(subjectField, '/subject', ['commonName', 'organization']);
  const names = record(altNames, '/subjectAltName', ['userPrincipalName', 'kerberosPrincipal', 'email', 'dnsNames']);
  const { organization } = subject;
  const { userPrincipalName, kerberosPrincipal, email, dnsNames } = names;
  return {
    commonName: directoryText(subject.commonName, '/subject/commonName'),
    ...(organization == null ? {} : { organization: directoryText(organization, '/subject/organization') }),
    ...(userPrincipalName == null ? {} : { userPrincipalName: principal(userPrincipalName) }),
    ...(kerberosPrincipal === undefined ? {} : { kerberosPrincipal: kerberosName(kerberosPrincipal) }),
    ...(email == null ? {} : { email: emailAddress(email) }),
    ...(dnsNames == null ? {} : { dnsNames: hostNames(dnsNames) }),
    ...(sid == null ? {} : { securityIdentifier: securityIdentifier(sid) }),
  };
}

/**
 * ub-common-name and ub-organization-name are 64 characters (RFC 5280 appendix A.1). Control characters could forge what
 * a log or a dialog shows.
 */
const directoryText = (value: unknown, pointer: string) =>
  text(value, pointer, /^(?!\s)[^\p{Cc}\p{Cs}\p{Co}\p{Cn}]{1,64}(?<!\s)$/u, 'must be 1 to 64 characters');

/** No slash, either way: Kerberos and Windows give both a meaning of their own, and the name would map elsewhere. */
function principal(value: unknown): string {
  const form = /^[^\s@/\\\p{C}]{1,128}@[^\s@/\\\p{C}]{1,127}$/u;
  return text(value, '/subjectAltName/userPrincipalName', form, 'must be of the form user@domain, without slashes');
}

/** A principal of one component. KerberosString is ASCII (RFC 4120 5.2.1). */
function kerberosName(value: unknown): string | null {
  if (value === null) return null;
  const form = /^[\x21-\x2e\x30-\x3f\x41-\x5b\x5d-\x7e]{1,128}@[\x21-\x2e\x30-\x3f\x41-\x5b\x5d-\x7e]{1,127}$/;
  return text(value, '/subjectAltName/kerberosPrincipal', form, 'must be of the form name@REALM in ASCII, no slashes');
}

/** rfc822Name is ASCII (RFC 5280 4.2.1.6). */
function emailAddress(value: unknown): string {
  const form = /^(?=.{3,254}$)[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9.-]+$/;
  return text(value, '/subjectAltName/email', form, 'must be an e-mail address in ASCII');
}

/** The preferred name syntax (RFC 1034 3.5, RFC 5280 4.2.1.6); the last label is no number, for that is an address. */
const HOST = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

function hostNames(value: unknown): string[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_DNS_NAMES) {
    throw wrong('/subjectAltName/dnsNames', `must be 1 to ${MAX_DNS_NAMES} host names`);
  }
  const names = value.map((name: unknown, at) =>
    text(name, `/subjectAltName/dnsNames/${at}`, HOST, 'must be a host name of ASCII letters, digits and hyphens'),
  );
  if (new Set(names.map((name) => name.toLowerCase())).size !== names.length) {
    throw wrong('/subjectAltName/dnsNames', 'must not name a host twice');
  }
  return names;
}

/** Of a domain's account: S-1-5-21, three numbers of the domain, the account's; each of 32 bits ([MS-DTYP] 2.4.2). */
function securityIdentifier(value: unknown): string {
  const right = 'must be of the form S-1-5-21-n-n-n-n';
  const sid = text(value, '/securityIdentifier', /^S-1-5-21(?:-(?:0|[1-9]\d{0,9})){4}$/, right);
  const numbers = sid.split('-').slice(4).map(Number);
  if (numbers.some((number) => number > 0xffffffff)) throw wrong('/securityIdentifier', right);
  return sid;
}
