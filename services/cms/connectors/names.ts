import { DerReader, dotted, TAG, type Value } from '@cardwright/protocol/attestation';
import type { IssuanceRequest } from '../certificates/index.ts';

/** What makes a name unreadable. Whoever reads maps it to a refusal of his own. */
export const NAMES_MALFORMED = 'names-malformed';
const MAX_NAMES = 40;

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
/** Of the organisation, and the CA's to add: country, locality, state, unit, domain component. They name no person. */
const OF_THE_ORGANISATION = new Set(['2.5.4.6', '2.5.4.7', '2.5.4.8', '2.5.4.11', '0.9.2342.19200300.100.1.25']);

const USER_PRINCIPAL_NAME = '1.3.6.1.4.1.311.20.2.3';
const KERBEROS_PRINCIPAL_NAME = '1.3.6.1.5.2.2';
const SECURITY_IDENTIFIER = '1.3.6.1.4.1.311.25.2.1';

/**
 * Names of a certificate or a request, one text each, in a form that can be compared: `cn:Mary Major`,
 * `email:mary@corp.example`. What is not understood is there too, as `other:…`, so that it can't slip through.
 */
export type Names = ReadonlySet<string>;

/** The text without case, where the name's own rules compare it so (RFC 5280 section 7; a UPN is an account's). */
const folded = (text: string): string => text.toLowerCase();

export function wantedNames(request: IssuanceRequest): Names {
  const { subject, subjectAltName: names, securityIdentifier } = request;
  const wanted = new Set([`cn:${subject.commonName}`]);
  if (subject.organization !== undefined) wanted.add(`o:${subject.organization}`);
  if (names.userPrincipalName !== null) wanted.add(`upn:${folded(names.userPrincipalName)}`);
  if (names.kerberosPrincipal !== null) wanted.add(`kerberos:${names.kerberosPrincipal}`);
  if (names.email !== null) wanted.add(`email:${folded(names.email)}`);
  for (const name of names.dnsNames ?? []) wanted.add(`dns:${folded(name)}`);
  if (securityIdentifier !== null) wanted.add(`sid:${securityIdentifier}`);
  return wanted;
}

/** @throws DomainError `names-malformed`. */
export function namesOfSubject(subject: Uint8Array): Names {
  const names = new Set<string>();
  const whole = new DerReader(subject, NAMES_MALFORMED);
  const sets = whole.inside('the subject');
  whole.end('the subject');
  while (sets.more) {
    const set = sets.inside('a relative name', TAG.set);
    while (set.more) {
      const part = set.inside('a name');
      const type = dotted(part.next('its type', TAG.objectIdentifier).content);
      const text = textOf(part.next('its value'));
      part.end('a name');
      if (type === COMMON_NAME) names.add(`cn:${text}`);
      else if (type === ORGANIZATION) names.add(`o:${text}`);
      else if (type === EMAIL_ADDRESS) names.add(`email:${folded(text)}`);
      else names.add(OF_THE_ORGANISATION.has(type) ? `organisation:${type}=${text}` : `other:${type}=${text}`);
      if (names.size > MAX_NAMES) set.fail(`more than ${MAX_NAMES} names`);
    }
  }
  return names;
}

/** GeneralNames of RFC 5280 section 4.2.1.6. @throws DomainError `names-malformed`. */
export function namesOfSubjectAltName(value: Uint8Array): Names {
  const names = new Set<string>();
  const whole = new DerReader(value, NAMES_MALFORMED);
  const list = whole.inside('subjectAltName');
  whole.end('subjectAltName');
  while (list.more) {
    names.add(generalName(list.next('a name')));
    if (names.size > MAX_NAMES) list.fail(`more than ${MAX_NAMES} names`);
  }
  return names;
}

/** Microsoft's extension 1.3.6.1.4.1.311.25.2. @throws DomainError `names-malformed`. */
export function namesOfSecurityExtension(value: Uint8Array): Names {
  return namesOfSubjectAltName(value);
}

function generalName(name: Value): string {
  if (name.tag === 0x81) return `email:${folded(latin1(name))}`;
  if (name.tag === 0x82) return `dns:${folded(latin1(name))}`;
  if (name.tag !== 0xa0) return `other:${hex(name.raw)}`;
  const parts = new DerReader(name.content, NAMES_MALFORMED);
  const type = dotted(parts.next('the type of a name', TAG.objectIdentifier).content);
  const inner = parts.inside('a name', 0xa0);
  parts.end('a name');
  const value = inner.next('a name');
  inner.end('a name');
  if (type === USER_PRINCIPAL_NAME) return `upn:${folded(textOf(value))}`;
  if (type === KERBEROS_PRINCIPAL_NAME) return `kerberos:${kerberosName(value)}`;
  if (type === SECURITY_IDENTIFIER && value.tag === TAG.octetString) return `sid:${latin1(value)}`;
  return `other:${hex(name.raw)}`;
}

/** KRB5PrincipalName ::= SEQUENCE { realm [0], principalName [1] PrincipalName } (RFC 4556 section 3.2.2). */
function kerberosName(value: Value): string {
  if (value.tag !== TAG.sequence) return hex(value.raw);
  const body = new DerReader(value.content, NAMES_MALFORMED);
  const realm = latin1(body.inside('the realm', 0xa0).next('the realm'));
  const principal = body.inside('the principal', 0xa1).inside('the principal');
  body.end('the principal');
  principal.next('its type', 0xa0);
  const components = principal.inside('its components', 0xa1).inside('its components');
  const texts: string[] = [];
  while (components.more && texts.length < 8) texts.push(latin1(components.next('a component')));
  return `${texts.join('/')}@${realm}`;
}

/** DirectoryString and what stands beside it: UTF-8, ASCII kinds, BMPString. Others in hexadecimal. */
function textOf(value: Value): string {
  const bytes = Buffer.from(value.content);
  if (value.tag === 0x0c) return bytes.toString('utf8');
  if (value.tag === 0x13 || value.tag === 0x16) return bytes.toString('latin1');
  if (value.tag === 0x1e && bytes.length % 2 === 0) return bytes.swap16().toString('utf16le');
  return hex(value.raw);
}

const latin1 = (value: Value): string => Buffer.from(value.content).toString('latin1');
const hex = (bytes: Uint8Array): string => `#${Buffer.from(bytes).toString('hex')}`;
