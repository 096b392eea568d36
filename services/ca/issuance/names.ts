import { DomainError } from '@cardwright/protocol';
import { kerberosPrincipal, type SubjectAltName } from '../x509/subject-alt-name.ts';
import type { Intent } from './intent.ts';
import type { NameKind, Profile } from './profiles.ts';

/** The names of a request, each of its form already. */
export interface RequestedNames {
  readonly commonName: string;
  readonly organization?: string;
  readonly userPrincipalName?: string;
  /** null: none; left out: the one that the user principal name stands for, where the profile has one. */
  readonly kerberosPrincipal?: string | null;
  readonly email?: string;
  readonly dnsNames?: readonly string[];
  readonly securityIdentifier?: string;
}

export type CertificateNames = Pick<Intent, 'commonName' | 'organization' | 'subjectAltName' | 'securityIdentifier'>;

/**
 * What a certificate of this profile will name.
 * @throws DomainError `name-not-of-profile`, `name-required`, `device-name-differs` (unprocessable)
 */
export function certificateNames(profile: Profile, requested: RequestedNames): CertificateNames {
  const { commonName, organization, userPrincipalName, email, dnsNames, securityIdentifier } = requested;
  const principal = principalOf(profile, requested);
  const subjectAltName: SubjectAltName = {
    ...(userPrincipalName === undefined ? {} : { userPrincipalName }),
    ...(principal === null ? {} : { kerberosPrincipal: principal }),
    ...(email === undefined ? {} : { email }),
    ...(dnsNames === undefined ? {} : { dnsNames }),
  };
  const sid = securityIdentifier === undefined ? {} : { securityIdentifier };
  checkKinds(profile, Object.keys({ ...subjectAltName, ...sid }) as NameKind[]);
  if (dnsNames !== undefined && !dnsNames.some((name) => isHost(commonName, name))) {
    throw refusal('device-name-differs', 'the common name of a device must be one of its dnsNames, or its first label');
  }
  return { commonName, ...(organization === undefined ? {} : { organization }), subjectAltName, ...sid };
}

function principalOf({ names }: Profile, { kerberosPrincipal: asked, userPrincipalName }: RequestedNames) {
  if (asked !== undefined) return asked;
  const derived = names.kerberosPrincipal !== undefined && userPrincipalName !== undefined;
  return derived ? kerberosPrincipal(userPrincipalName) : null;
}

function checkKinds({ name, names }: Profile, present: readonly NameKind[]): void {
  const strange = present.find((kind) => names[kind] === undefined);
  if (strange !== undefined) throw refusal('name-not-of-profile', `a certificate of ${name} has no ${strange}`);
  const missing = Object.entries(names).find(([kind, must]) => must && !present.includes(kind as NameKind));
  if (missing !== undefined) throw refusal('name-required', `a certificate of ${name} must have ${missing[0]}`);
}

function isHost(commonName: string, dnsName: string): boolean {
  const [host, name] = [commonName.toLowerCase(), dnsName.toLowerCase()];
  return host === name || host === name.split('.', 1)[0];
}

const refusal = (code: string, detail: string) => new DomainError('unprocessable', code, detail);
