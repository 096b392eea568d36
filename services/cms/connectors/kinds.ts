import type { NameKind } from '../certificates/index.ts';

export type KeyUsageName = 'digitalSignature' | 'nonRepudiation' | 'keyEncipherment' | 'keyAgreement';

/** What a certificate of a kind says of its key, whoever issues it: the same as the embedded CA's templates. */
export interface Kind {
  readonly keyUsage: Readonly<Record<'ec' | 'rsa', readonly KeyUsageName[]>>;
  readonly extendedKeyUsage: readonly string[];
}

const either = (...usages: KeyUsageName[]) => ({ ec: usages, rsa: usages });
/** An RSA key enciphers a key, an EC key agrees on one (RFC 3279 section 2.3.1, RFC 5480 section 3). */
const ENCRYPT = { ec: ['keyAgreement'], rsa: ['keyEncipherment'] } as const;
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const EMAIL_PROTECTION = '1.3.6.1.5.5.7.3.4';

export const KINDS: Readonly<Record<string, Kind>> = {
  'smart-card-sign-in': {
    keyUsage: either('digitalSignature'),
    // With Microsoft's smart-card logon, and the client of PKINIT (RFC 4556 section 3.2.2).
    extendedKeyUsage: [CLIENT_AUTHENTICATION, '1.3.6.1.4.1.311.20.2.2', '1.3.6.1.5.2.3.4'],
  },
  'tls-client': { keyUsage: either('digitalSignature'), extendedKeyUsage: [CLIENT_AUTHENTICATION] },
  'smime-signature': {
    keyUsage: either('digitalSignature', 'nonRepudiation'),
    extendedKeyUsage: [EMAIL_PROTECTION],
  },
  'smime-encryption': { keyUsage: ENCRYPT, extendedKeyUsage: [EMAIL_PROTECTION] },
  // RFC 9336
  'document-signature': {
    keyUsage: either('digitalSignature', 'nonRepudiation'),
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.36'],
  },
  // BitLocker's
  'volume-encryption': { keyUsage: ENCRYPT, extendedKeyUsage: ['1.3.6.1.4.1.311.67.1.1'] },
  device: { keyUsage: either('digitalSignature'), extendedKeyUsage: [CLIENT_AUTHENTICATION] },
};

export const NAME_KINDS: readonly NameKind[] = [
  'userPrincipalName',
  'kerberosPrincipal',
  'email',
  'dnsNames',
  'securityIdentifier',
];
