import { KEY_TYPE_NAMES } from '@cardwright/protocol';
import { type Static, Type } from 'typebox';
import { ATTESTATION_POLICIES } from '../attestation/index.ts';
import { closed, id, line, nullable, OperatorRef, oneOf, ref, time } from '../platform/schema.http.ts';
import { CERTIFICATE_KINDS, type CertificateProfile, type CertificateProfileContents } from './certificate-profile.ts';
import { LEAST_VALIDITY_SECONDS, LONGEST_VALIDITY_SECONDS } from './kind-rules.ts';

const NAME = '^[a-z0-9][a-z0-9-]{1,63}$';
export const profileName = (more: object = {}) => Type.String({ pattern: NAME, maxLength: 64, ...more });

const names = {
  userPrincipalName: true,
  kerberosPrincipal: true,
  email: 'if-any',
  securityIdentifier: true,
  organization: false,
} as const;
const contents = {
  displayName: 'Smart card sign-in',
  authority: 'embedded',
  keyTypes: ['ec-p256', 'rsa-2048'],
  validitySeconds: 31_536_000,
  renewalDays: 30,
  renewalKey: 'same',
  maxKeyAgeDays: 1095,
  attestation: null,
  containerDefault: 'sign-in',
  people: { domains: ['example.com'] },
  names,
} as const;

const Names = closed(
  {
    userPrincipalName: Type.Boolean(),
    kerberosPrincipal: Type.Boolean({
      description: "The person's own; else what follows from the user principal name, its realm in upper case.",
    }),
    email: oneOf(['none', 'if-any', 'required']),
    securityIdentifier: Type.Boolean({
      description: 'The SID extension (1.3.6.1.4.1.311.25.2), if the person has one.',
    }),
    organization: Type.Boolean(),
  },
  { description: "Which names of the directory's record stand in the certificate. Those of the request never do." },
);
const People = closed(
  {
    organizations: Type.Optional(Type.Array(line(200), { minItems: 1, maxItems: 50 })),
    domains: Type.Optional(
      Type.Array(Type.String({ pattern: '^[^@\\s]+$', maxLength: 255 }), {
        minItems: 1,
        maxItems: 50,
        description: 'After the @ of the user principal name.',
      }),
    ),
  },
  { minProperties: 1, description: 'Who may have one: all that is said has to fit.' },
);

const newExample = { name: 'sign-in-strong', kind: 'smart-card-sign-in', ...contents } as const;
const savedExample = {
  ...newExample,
  version: 1,
  createdAt: '2026-11-20T09:00:00.000Z',
  createdBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'security-officer' },
};

const changeable = {
  displayName: line(200),
  authority: Type.Optional(profileName({ description: 'The CA that issues. `embedded` if left out.' })),
  keyTypes: Type.Array(oneOf(KEY_TYPE_NAMES), { minItems: 1, maxItems: KEY_TYPE_NAMES.length }),
  validitySeconds: Type.Integer({ minimum: LEAST_VALIDITY_SECONDS, maximum: LONGEST_VALIDITY_SECONDS }),
  renewalDays: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: 1825,
        description: 'Days before its end. Null: 30, or a third of its life.',
      }),
    ),
  ),
  renewalKey: Type.Optional(oneOf(['same', 'new'], { description: 'new: a new key with each certificate.' })),
  maxKeyAgeDays: Type.Optional(
    nullable(Type.Integer({ minimum: 1, maximum: 7300, description: 'An older key gets no further certificate.' })),
  ),
  attestation: Type.Optional(
    nullable(oneOf(ATTESTATION_POLICIES, { description: 'Null: as the card profile has it.' })),
  ),
  containerDefault: Type.Optional(nullable(Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', maxLength: 32 }))),
  people: Type.Optional(nullable(People)),
  names: Names,
};

export const ChangedCertificateProfile = closed(
  { ...changeable, reason: line(500, { description: 'Why. Kept in the audit log.' }) },
  { $id: 'ChangedCertificateProfile', examples: [{ ...contents, reason: 'Policy of 2026' }] },
);
const kind = oneOf(CERTIFICATE_KINDS, { description: 'What it is for: key usages and the like follow from it.' });
export const NewCertificateProfile = closed(
  { name: profileName(), kind, ...changeable },
  { $id: 'NewCertificateProfile', examples: [newExample] },
);

const nullableInteger = () => nullable(Type.Integer());
export const CertificateProfileSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.Integer({ description: 'Every save makes a new one; the newest counts.' }),
    kind: oneOf(CERTIFICATE_KINDS),
    displayName: Type.String(),
    authority: Type.String(),
    keyTypes: Type.Array(Type.String()),
    validitySeconds: Type.Integer(),
    renewalDays: nullableInteger(),
    renewalKey: oneOf(['same', 'new']),
    maxKeyAgeDays: nullableInteger(),
    attestation: nullable(oneOf(ATTESTATION_POLICIES)),
    containerDefault: nullable(Type.String()),
    people: nullable(People),
    names: Names,
    createdAt: time(),
    createdBy: ref(OperatorRef),
  },
  {
    $id: 'CertificateProfile',
    examples: [savedExample],
  },
);
export const CertificateProfileList = Type.Object(
  { items: Type.Array(ref(CertificateProfileSchema)) },
  { $id: 'CertificateProfileList', examples: [{ items: [savedExample] }] },
);

const usages = Type.Array(Type.String());
export const CertificatePreviewSchema = Type.Object(
  {
    subject: Type.String(),
    subjectAltName: Type.Array(Type.String()),
    securityIdentifier: nullable(Type.String()),
    keyUsage: Type.Object({ rsa: usages, ec: usages }, { description: 'By the type of the key.' }),
    extendedKeyUsage: Type.Array(Type.String(), { description: 'Object identifiers.' }),
    notBefore: time(),
    notAfter: time(),
    renewableFrom: time(),
  },
  {
    $id: 'CertificatePreview',
    examples: [
      {
        subject: 'CN=Mary Major',
        subjectAltName: ['UPN:mary.major@example.com', 'KRB5PrincipalName:mary.major@EXAMPLE.COM'],
        securityIdentifier: 'S-1-5-21-3623811015-3361044348-30300820-1013',
        keyUsage: { rsa: ['digitalSignature'], ec: ['digitalSignature'] },
        extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', '1.3.6.1.4.1.311.20.2.2', '1.3.6.1.5.2.3.4'],
        notBefore: '2026-11-20T09:00:00.000Z',
        notAfter: '2027-11-20T09:00:00.000Z',
        renewableFrom: '2027-10-21T09:00:00.000Z',
      },
    ],
  },
);
export const PreviewRequest = closed(
  {
    profile: ref(NewCertificateProfile),
    personId: id({ description: 'For whom.' }),
    hostName: Type.Optional(line(253, { description: 'Of kind device: the name of the device.' })),
  },
  {
    $id: 'CertificatePreviewRequest',
    examples: [{ profile: newExample, personId: '0199f2a0-1111-7000-8000-000000000001' }],
  },
);

export const certificateProfileComponents = [
  CertificateProfileSchema,
  CertificateProfileList,
  NewCertificateProfile,
  ChangedCertificateProfile,
  CertificatePreviewSchema,
  PreviewRequest,
];

/** What is left out is said. */
export function contentsOf(
  body: Omit<Static<typeof NewCertificateProfile>, 'name' | 'kind'>,
): Omit<CertificateProfileContents, 'kind'> {
  return {
    displayName: body.displayName,
    authority: body.authority ?? 'embedded',
    keyTypes: body.keyTypes,
    validitySeconds: body.validitySeconds,
    renewalDays: body.renewalDays ?? null,
    renewalKey: body.renewalKey ?? 'same',
    maxKeyAgeDays: body.maxKeyAgeDays ?? null,
    attestation: body.attestation ?? null,
    containerDefault: body.containerDefault ?? null,
    people: body.people ?? null,
    names: body.names,
  };
}

export const toBody = ({ people, keyTypes, createdAt, ...profile }: CertificateProfile) => ({
  ...profile,
  keyTypes: [...keyTypes],
  people: people as Static<typeof People> | null,
  createdAt: createdAt.toISOString(),
});
