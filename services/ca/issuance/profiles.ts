import { OID } from '../asn1/oids.ts';
import type { KeyUsage } from '../x509/extensions.ts';

/** What a certificate of a profile must be. The builder follows it, and the lint holds the result to it. */
export interface Profile {
  readonly name: string;
  /** null: an end entity. */
  readonly ca: { readonly pathLength: number | null } | null;
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage: readonly string[];
  readonly maxValiditySeconds: number;
  /** Extensions it must have (`true`) or may have (`false`); any other is refused. */
  readonly extensions: Readonly<Record<string, boolean>>;
}

const DAY = 86_400;
const YEAR = 366 * DAY;

export const ROOT: Profile = {
  name: 'root',
  ca: { pathLength: null },
  keyUsage: ['keyCertSign', 'cRLSign'],
  extendedKeyUsage: [],
  maxValiditySeconds: 30 * YEAR,
  extensions: { [OID.basicConstraints]: true, [OID.keyUsage]: true, [OID.subjectKeyIdentifier]: true },
};

export const ISSUING: Profile = {
  name: 'issuing',
  ca: { pathLength: 0 },
  keyUsage: ['keyCertSign', 'cRLSign'],
  extendedKeyUsage: [],
  maxValiditySeconds: 15 * YEAR,
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
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [OID.ocspSigning],
  // Nobody can revoke it (ocsp-nocheck), so it must not live long.
  maxValiditySeconds: 31 * DAY,
  extensions: {
    [OID.basicConstraints]: true,
    [OID.keyUsage]: true,
    [OID.subjectKeyIdentifier]: true,
    [OID.authorityKeyIdentifier]: true,
    [OID.extendedKeyUsage]: true,
    [OID.ocspNoCheck]: true,
  },
};

/** What Kerberos, Windows, TLS and SSH servers were seen to ask of a sign-in certificate. */
export const SMART_CARD_SIGN_IN: Profile = {
  name: 'smart-card-sign-in',
  ca: null,
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [OID.clientAuth, OID.smartCardLogon, OID.pkinitClient],
  maxValiditySeconds: 5 * YEAR,
  extensions: {
    [OID.basicConstraints]: true,
    [OID.keyUsage]: true,
    [OID.subjectKeyIdentifier]: true,
    [OID.authorityKeyIdentifier]: true,
    [OID.extendedKeyUsage]: true,
    [OID.subjectAltName]: false,
    [OID.authorityInformationAccess]: true,
    [OID.crlDistributionPoints]: true,
  },
};

export const PERSON_PROFILES = { 'smart-card-sign-in': SMART_CARD_SIGN_IN } as const;
export type PersonProfile = keyof typeof PERSON_PROFILES;
