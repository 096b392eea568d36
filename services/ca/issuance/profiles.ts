import type { CertificateKind } from '../api.ts';
import { OID } from '../asn1/oids.ts';
import type { KeyUsage } from '../x509/extensions.ts';
import type { KeyType } from '../x509/public-key.ts';

/** A name of subjectAltName, or what stands beside it for one. */
export type NameKind = 'userPrincipalName' | 'kerberosPrincipal' | 'email' | 'dnsNames' | 'securityIdentifier';

/** What a certificate of a profile must be. The builder follows it, and the lint holds the result to it. */
export interface Profile {
  readonly name: string;
  /** null: an end entity. */
  readonly ca: { readonly pathLength: number | null } | null;
  readonly keyUsage: Readonly<Record<KeyType, readonly KeyUsage[]>>;
  readonly extendedKeyUsage: readonly string[];
  readonly maxValiditySeconds: number;
  /** Names it must have (`true`) or may have (`false`); any other is refused. */
  readonly names: Readonly<Partial<Record<NameKind, boolean>>>;
  /** Extensions it must have (`true`) or may have (`false`); any other is refused. */
  readonly extensions: Readonly<Record<string, boolean>>;
}

const DAY = 86_400;
const YEAR = 366 * DAY;

const whateverTheKey = (...usages: KeyUsage[]) => ({ ec: usages, rsa: usages });
const SIGN = whateverTheKey('digitalSignature');
const SIGN_AND_COMMIT = whateverTheKey('digitalSignature', 'nonRepudiation');
/** An RSA key enciphers a key; an EC key agrees on one (RFC 3279 2.3.1, RFC 5480 3). OpenSC holds cards to it. */
const ENCRYPT: Profile['keyUsage'] = { ec: ['keyAgreement'], rsa: ['keyEncipherment'] };

export const ROOT: Profile = {
  name: 'root',
  ca: { pathLength: null },
  keyUsage: whateverTheKey('keyCertSign', 'cRLSign'),
  extendedKeyUsage: [],
  maxValiditySeconds: 30 * YEAR,
  names: {},
  extensions: { [OID.basicConstraints]: true, [OID.keyUsage]: true, [OID.subjectKeyIdentifier]: true },
};

export const ISSUING: Profile = {
  name: 'issuing',
  ca: { pathLength: 0 },
  keyUsage: whateverTheKey('keyCertSign', 'cRLSign'),
  extendedKeyUsage: [],
  maxValiditySeconds: 15 * YEAR,
  names: {},
  extensions: {
    ...ROOT.extensions,
    [OID.authorityKeyIdentifier]: true,
    [OID.authorityInformationAccess]: true,
    [OID.crlDistributionPoints]: true,
  },
};

export const OCSP_RESPONDER: Profile = {
  name: 'ocsp-responder',
  ca: null,
  keyUsage: SIGN,
  extendedKeyUsage: [OID.ocspSigning],
  // Nobody can revoke it (ocsp-nocheck), so it must not live long.
  maxValiditySeconds: 31 * DAY,
  names: {},
  extensions: {
    [OID.basicConstraints]: true,
    [OID.keyUsage]: true,
    [OID.subjectKeyIdentifier]: true,
    [OID.authorityKeyIdentifier]: true,
    [OID.extendedKeyUsage]: true,
    [OID.ocspNoCheck]: true,
  },
};

const END_ENTITY = {
  [OID.basicConstraints]: true,
  [OID.keyUsage]: true,
  [OID.subjectKeyIdentifier]: true,
  [OID.authorityKeyIdentifier]: true,
  [OID.extendedKeyUsage]: true,
  [OID.subjectAltName]: false,
  [OID.authorityInformationAccess]: true,
  [OID.crlDistributionPoints]: true,
};

function endEntity<Name extends CertificateKind>(
  name: Name,
  rest: Pick<Profile, 'keyUsage' | 'extendedKeyUsage' | 'names'>,
  extensions: Profile['extensions'] = {},
): Profile & { readonly name: Name } {
  return { name, ca: null, maxValiditySeconds: 5 * YEAR, ...rest, extensions: { ...END_ENTITY, ...extensions } };
}

/** What Kerberos, Windows, TLS and SSH servers were seen to ask of a sign-in certificate. */
export const SMART_CARD_SIGN_IN = endEntity(
  'smart-card-sign-in',
  {
    keyUsage: SIGN,
    extendedKeyUsage: [OID.clientAuth, OID.smartCardLogon, OID.pkinitClient],
    names: { userPrincipalName: false, kerberosPrincipal: false, email: false, securityIdentifier: false },
  },
  { [OID.securityIdentifier]: false },
);

/** The kinds that a request may name. Nothing in a request changes what they say but the names they take. */
export const KINDS: Readonly<Record<CertificateKind, Profile>> = {
  'smart-card-sign-in': SMART_CARD_SIGN_IN,
  'tls-client': endEntity('tls-client', {
    keyUsage: SIGN,
    extendedKeyUsage: [OID.clientAuth],
    names: { email: false, userPrincipalName: false },
  }),
  'smime-signature': endEntity('smime-signature', {
    keyUsage: SIGN_AND_COMMIT,
    extendedKeyUsage: [OID.emailProtection],
    names: { email: true },
  }),
  'smime-encryption': endEntity('smime-encryption', {
    keyUsage: ENCRYPT,
    extendedKeyUsage: [OID.emailProtection],
    names: { email: true },
  }),
  'document-signature': endEntity('document-signature', {
    keyUsage: SIGN_AND_COMMIT,
    extendedKeyUsage: [OID.documentSigning],
    names: { email: false },
  }),
  'volume-encryption': endEntity('volume-encryption', {
    keyUsage: ENCRYPT,
    extendedKeyUsage: [OID.bitLockerEncryption],
    names: { email: false, userPrincipalName: false },
  }),
  device: endEntity('device', {
    keyUsage: SIGN,
    extendedKeyUsage: [OID.clientAuth],
    names: { dnsNames: true },
  }),
};
