import { DomainError } from '@cardwright/protocol';
import {
  type CertificateKind,
  type CertificateProfileContents,
  type ContainerRule,
  effectiveRule,
} from './certificate-profile.ts';

/** What the directory's record says of a person. */
export interface PersonNames {
  readonly displayName: string;
  readonly userPrincipalName: string;
  readonly email: string | null;
  readonly organization: string | null;
  readonly securityIdentifier: string | null;
  readonly kerberosPrincipal: string | null;
}

/**
 * What is ordered of a CA, but for the key. It is stored with the certificate's record before the CA is asked, so that
 * however often it is asked, and whatever becomes of the person's name or of the profile meanwhile, it is asked the same.
 */
export interface CertificateOrder {
  readonly kind: CertificateKind;
  readonly commonName: string;
  readonly organization: string | null;
  readonly userPrincipalName: string | null;
  readonly kerberosPrincipal: string | null;
  readonly email: string | null;
  readonly dnsNames: readonly string[] | null;
  readonly securityIdentifier: string | null;
  readonly validitySeconds: number;
}

/** ub-common-name and ub-organization-name, RFC 5280 appendix A.1. */
const MAX_NAME = 64;
/** rfc822Name is ASCII (RFC 5280 4.2.1.6). */
const EMAIL = /^(?=.{3,254}$)[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9.-]+$/;
/** No slash, either way: Kerberos and Windows give both a meaning of their own, and the name would map elsewhere. */
const PRINCIPAL = /^[^\s@/\\\p{C}]{1,128}@[^\s@/\\\p{C}]{1,127}$/u;
/** The preferred name syntax (RFC 1034 3.5); the last label is no number, for that is an address. */
const HOST = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * @param hostName of the device that the key is on
 * @throws DomainError, of kind `unprocessable`: `certificate-not-for-person` (the profile is for other people),
 *   `certificate-name-missing` (the directory lacks a name that the profile demands), `certificate-name-unusable` (a name
 *   there that no certificate can carry), `device-name-unusable` (a host name that is no DNS name).
 */
export function makeOrder(
  profile: CertificateProfileContents,
  container: Pick<ContainerRule, 'validitySeconds'>,
  person: PersonNames,
  hostName: string,
): CertificateOrder {
  demandForPerson(profile, person);
  const { validitySeconds } = effectiveRule(container, profile);
  return { kind: profile.kind, ...namesOf(profile, person, hostName), validitySeconds };
}

/** @throws DomainError `certificate-not-for-person` (unprocessable). */
export function demandForPerson({ displayName, people }: CertificateProfileContents, person: PersonNames): void {
  if (people === null) return;
  const { organizations, domains } = people;
  const domain = person.userPrincipalName.slice(person.userPrincipalName.indexOf('@') + 1);
  const isOfOrganization = organizations === undefined || organizations.includes(person.organization ?? '');
  if (isOfOrganization && (domains === undefined || domains.includes(domain))) return;
  const detail = `The certificate profile "${displayName}" is not for this person: their organisation or domain is another.`;
  throw new DomainError('unprocessable', 'certificate-not-for-person', detail);
}

type Names = Omit<CertificateOrder, 'kind' | 'validitySeconds'>;

function namesOf(
  { kind, displayName, names }: CertificateProfileContents,
  person: PersonNames,
  hostName: string,
): Names {
  if (kind === 'device') return { ...NO_NAMES, ...deviceNames(hostName) };
  const { userPrincipalName } = person;
  if (names.userPrincipalName && !PRINCIPAL.test(userPrincipalName)) {
    const detail = `The user principal name ${userPrincipalName} can't stand in a certificate: it has a slash or is too long.`;
    throw new DomainError('unprocessable', 'certificate-name-unusable', detail);
  }
  const kerberosPrincipal = names.kerberosPrincipal ? principalOf(person) : null;
  if (kind === 'smart-card-sign-in' && !names.userPrincipalName && kerberosPrincipal === null) {
    throw missing(displayName, 'Kerberos principal in ASCII');
  }
  const email = names.email !== 'none' && person.email !== null && EMAIL.test(person.email) ? person.email : null;
  if (names.email === 'required' && email === null) throw missing(displayName, 'e-mail address in ASCII');
  return {
    ...NO_NAMES,
    commonName: commonNameOf(person.displayName),
    organization: names.organization && person.organization !== null ? commonNameOf(person.organization) : null,
    userPrincipalName: names.userPrincipalName ? userPrincipalName : null,
    kerberosPrincipal,
    email,
    securityIdentifier: names.securityIdentifier ? person.securityIdentifier : null,
  };
}

const NO_NAMES = {
  organization: null,
  userPrincipalName: null,
  kerberosPrincipal: null,
  email: null,
  dnsNames: null,
  securityIdentifier: null,
} as const;

function missing(profile: string, what: string): DomainError {
  const detail = `The certificate profile "${profile}" needs the person's ${what}: enter it in the directory first.`;
  return new DomainError('unprocessable', 'certificate-name-missing', detail);
}

function deviceNames(hostName: string): Pick<Names, 'commonName' | 'dnsNames'> {
  if (!HOST.test(hostName)) {
    const detail = `The device calls itself ${hostName}, which is no DNS name: give it one of letters, digits, hyphens and dots.`;
    throw new DomainError('unprocessable', 'device-name-unusable', detail);
  }
  const [firstLabel = ''] = hostName.split('.', 1);
  return { commonName: hostName.length <= MAX_NAME ? hostName : firstLabel, dnsNames: [hostName] };
}

/**
 * The person's own principal; else the one that their user principal name stands for: what is before the @, and what is
 * after it in upper case, as the realms of every KDC are by convention (RFC 4120 6.1). Null when that can't be written as
 * a KerberosString, which is ASCII (RFC 4120 5.2.1).
 */
export function principalOf(person: Pick<PersonNames, 'kerberosPrincipal' | 'userPrincipalName'>): string | null {
  return person.kerberosPrincipal ?? derivedPrincipal(person.userPrincipalName);
}

export function derivedPrincipal(userPrincipalName: string): string | null {
  const at = userPrincipalName.indexOf('@');
  const principal = userPrincipalName.slice(0, at) + userPrincipalName.slice(at).toUpperCase();
  return /^[\x21-\x7e]+$/.test(principal) ? principal : null;
}

/** A name as a subject can carry it; an organisation's likewise. */
export const commonNameOf = (text: string): string => [...text].slice(0, MAX_NAME).join('').trim();
