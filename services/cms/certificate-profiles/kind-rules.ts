import { KEY_TYPE_NAMES, type KeyType } from '@cardwright/protocol';
import type { CertificateKind, NameRule } from './certificate-profile.ts';

/** What profiles of a kind may say. The CA holds certificates to the same, whatever a profile says. */
export interface KindRule {
  readonly keyTypes: readonly KeyType[];
  /** The names that it may carry. */
  readonly names: readonly Exclude<keyof NameRule, 'email'>[];
  readonly email: readonly NameRule['email'][];
  /** As the CA writes them, for people: the keyUsage of an RSA and of an EC key, and the extended one. */
  readonly keyUsage: Readonly<Record<'rsa' | 'ec', readonly string[]>>;
  readonly extendedKeyUsage: readonly string[];
}

const SIGN = { rsa: ['digitalSignature'], ec: ['digitalSignature'] } as const;
const COMMIT = { rsa: ['digitalSignature', 'nonRepudiation'], ec: ['digitalSignature', 'nonRepudiation'] } as const;
const ENCRYPT = { rsa: ['keyEncipherment'], ec: ['keyAgreement'] } as const;
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const EMAIL_PROTECTION = '1.3.6.1.5.5.7.3.4';

export const KIND_RULES: Readonly<Record<CertificateKind, KindRule>> = {
  'smart-card-sign-in': {
    keyTypes: KEY_TYPE_NAMES,
    names: ['userPrincipalName', 'kerberosPrincipal', 'securityIdentifier', 'organization'],
    email: ['none', 'if-any', 'required'],
    keyUsage: SIGN,
    extendedKeyUsage: [CLIENT_AUTHENTICATION, '1.3.6.1.4.1.311.20.2.2', '1.3.6.1.5.2.3.4'],
  },
  'tls-client': {
    keyTypes: KEY_TYPE_NAMES,
    names: ['userPrincipalName', 'organization'],
    email: ['none', 'if-any', 'required'],
    keyUsage: SIGN,
    extendedKeyUsage: [CLIENT_AUTHENTICATION],
  },
  // Mail programs look a certificate up by the address in it: without one it is of no use (RFC 8550 section 3).
  'smime-signature': {
    keyTypes: KEY_TYPE_NAMES,
    names: ['organization'],
    email: ['required'],
    keyUsage: COMMIT,
    extendedKeyUsage: [EMAIL_PROTECTION],
  },
  'smime-encryption': {
    keyTypes: KEY_TYPE_NAMES,
    names: ['organization'],
    email: ['required'],
    keyUsage: ENCRYPT,
    extendedKeyUsage: [EMAIL_PROTECTION],
  },
  'document-signature': {
    keyTypes: KEY_TYPE_NAMES,
    names: ['organization'],
    email: ['none', 'if-any', 'required'],
    keyUsage: COMMIT,
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.36'],
  },
  // Of the programs that open volumes with a card, those tried take RSA alone (systemd-cryptsetup 252).
  'volume-encryption': {
    keyTypes: ['rsa-2048', 'rsa-3072'],
    names: ['userPrincipalName', 'organization'],
    email: ['none', 'if-any', 'required'],
    keyUsage: ENCRYPT,
    extendedKeyUsage: ['1.3.6.1.4.1.311.67.1.1'],
  },
  device: {
    keyTypes: KEY_TYPE_NAMES,
    names: [],
    email: ['none'],
    keyUsage: SIGN,
    extendedKeyUsage: [CLIENT_AUTHENTICATION],
  },
};

export const LEAST_VALIDITY_SECONDS = 3600;
/** Five years, less the minutes by which the CA dates certificates back: what it gives at most, of any kind. */
export const LONGEST_VALIDITY_SECONDS = 5 * 366 * 86_400 - 300;
