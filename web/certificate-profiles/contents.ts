import type { CertificateProfile, ChangedCertificateProfile, NewCertificateProfile } from '../app/contract.ts';

export type Kind = CertificateProfile['kind'];
type Names = CertificateProfile['names'];
export type NameFlag = Exclude<keyof Names, 'email'>;
export const KINDS = [
  'smart-card-sign-in',
  'tls-client',
  'smime-signature',
  'smime-encryption',
  'document-signature',
  'volume-encryption',
  'device',
] as const satisfies readonly Kind[];
const NAME_FLAGS = ['userPrincipalName', 'kerberosPrincipal', 'securityIdentifier', 'organization'] as const;

/** What of a profile can be changed, as its form holds it: numbers and lists as they are typed. */
export interface TypedContents {
  readonly displayName: string;
  readonly authority: string;
  readonly keyTypes: readonly string[];
  readonly validityDays: string;
  readonly renewalDays: string;
  readonly renewalKey: CertificateProfile['renewalKey'];
  readonly maxKeyAgeDays: string;
  readonly attestation: CertificateProfile['attestation'];
  readonly containerDefault: string;
  readonly domains: string;
  readonly organizations: string;
  readonly flags: readonly NameFlag[];
  readonly email: Names['email'];
}

/** The names that a kind may carry; the server says the same, and refuses others. */
const FLAGS_OF: Readonly<Record<Kind, readonly NameFlag[]>> = {
  'smart-card-sign-in': NAME_FLAGS,
  'tls-client': ['userPrincipalName', 'organization'],
  'smime-signature': ['organization'],
  'smime-encryption': ['organization'],
  'document-signature': ['organization'],
  'volume-encryption': ['userPrincipalName', 'organization'],
  device: [],
};
export const flagsOf = (kind: Kind): readonly NameFlag[] => FLAGS_OF[kind];

const EMAILS_OF: Readonly<Partial<Record<Kind, readonly Names['email'][]>>> = {
  'smime-signature': ['required'],
  'smime-encryption': ['required'],
  device: ['none'],
};
export const emailsOf = (kind: Kind): readonly Names['email'][] => EMAILS_OF[kind] ?? ['none', 'if-any', 'required'];

export const NEW_CONTENTS: TypedContents = {
  displayName: '',
  authority: 'embedded',
  keyTypes: ['ec-p256', 'rsa-2048'],
  validityDays: '365',
  renewalDays: '',
  renewalKey: 'same',
  maxKeyAgeDays: '',
  attestation: null,
  containerDefault: '',
  domains: '',
  organizations: '',
  flags: ['userPrincipalName', 'kerberosPrincipal', 'securityIdentifier'],
  email: 'if-any',
};

/** The same contents for another kind: names that it can't carry are left out. */
export function fitted(typed: TypedContents, kind: Kind): TypedContents {
  const emails = emailsOf(kind);
  return {
    ...typed,
    keyTypes: kind === 'volume-encryption' ? ['rsa-2048'] : typed.keyTypes,
    flags: typed.flags.filter((flag) => flagsOf(kind).includes(flag)),
    email: emails.includes(typed.email) ? typed.email : (emails[0] ?? 'none'),
  };
}

export function typedContents(profile: CertificateProfile): TypedContents {
  return {
    displayName: profile.displayName,
    authority: profile.authority,
    keyTypes: profile.keyTypes,
    validityDays: String(profile.validitySeconds / 86_400),
    renewalDays: profile.renewalDays === null ? '' : String(profile.renewalDays),
    renewalKey: profile.renewalKey,
    maxKeyAgeDays: profile.maxKeyAgeDays === null ? '' : String(profile.maxKeyAgeDays),
    attestation: profile.attestation,
    containerDefault: profile.containerDefault ?? '',
    domains: (profile.people?.domains ?? []).join('; '),
    organizations: (profile.people?.organizations ?? []).join('; '),
    flags: NAME_FLAGS.filter((flag) => profile.names[flag]),
    email: profile.names.email,
  };
}

/** @returns null where something is missing or no number: the form says so at its field, and nothing is sent. */
export function contentsOf(typed: TypedContents): Omit<ChangedCertificateProfile, 'reason'> | null {
  const [validity, renewal, age] = [typed.validityDays, typed.renewalDays, typed.maxKeyAgeDays].map(daysOf);
  if (typeof validity !== 'number' || renewal === undefined || age === undefined) return null;
  if (typed.displayName.trim() === '' || typed.keyTypes.length === 0) return null;
  const [domains, organizations] = [listOf(typed.domains), listOf(typed.organizations)];
  const people = {
    ...(domains.length === 0 ? {} : { domains }),
    ...(organizations.length === 0 ? {} : { organizations }),
  };
  return {
    displayName: typed.displayName.trim(),
    authority: typed.authority,
    keyTypes: [...typed.keyTypes] as NewCertificateProfile['keyTypes'],
    validitySeconds: Math.round(validity * 86_400),
    renewalDays: renewal,
    renewalKey: typed.renewalKey,
    maxKeyAgeDays: age,
    attestation: typed.attestation,
    containerDefault: typed.containerDefault.trim() === '' ? null : typed.containerDefault.trim(),
    people: Object.keys(people).length === 0 ? null : people,
    names: {
      userPrincipalName: typed.flags.includes('userPrincipalName'),
      kerberosPrincipal: typed.flags.includes('kerberosPrincipal'),
      securityIdentifier: typed.flags.includes('securityIdentifier'),
      organization: typed.flags.includes('organization'),
      email: typed.email,
    },
  };
}

/** Null where nothing is typed; undefined where it is no number of days. */
export function daysOf(typed: string): number | null | undefined {
  const text = typed.trim();
  if (text === '') return null;
  const days = /^\d{1,4}(\.\d+)?$/.test(text) ? Number(text) : 0;
  return days > 0 ? days : undefined;
}

const listOf = (typed: string): string[] =>
  typed
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '');
