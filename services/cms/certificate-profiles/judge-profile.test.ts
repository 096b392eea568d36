import { isDomainError } from '@cardwright/protocol';
import { describe, expect, test } from 'vitest';
import type { CertificateProfileContents } from './certificate-profile.ts';
import { judgeProfile } from './judge-profile.ts';
import { LONGEST_VALIDITY_SECONDS } from './kind-rules.ts';

const AUTHORITIES = [
  {
    name: 'embedded',
    profiles: ['smart-card-sign-in', 'tls-client', 'device', 'volume-encryption', 'smime-signature'],
    names: ['userPrincipalName', 'kerberosPrincipal', 'email', 'dnsNames', 'securityIdentifier'],
  },
  { name: 'office', profiles: ['tls-client'], names: ['userPrincipalName', 'email'] },
  { name: 'mail', profiles: ['tls-client', 'device'], names: ['email'] },
];
const RIGHT: CertificateProfileContents = {
  displayName: 'For a test',
  kind: 'smart-card-sign-in',
  authority: 'embedded',
  keyTypes: ['ec-p256', 'rsa-2048'],
  validitySeconds: 86_400 * 90,
  renewalDays: 30,
  renewalKey: 'same',
  maxKeyAgeDays: 90,
  attestation: null,
  containerDefault: null,
  people: null,
  names: {
    userPrincipalName: true,
    kerberosPrincipal: true,
    email: 'if-any',
    securityIdentifier: true,
    organization: true,
  },
};

/** Pointers of all that is wrong. */
function wrong(change: Partial<CertificateProfileContents>): string[] {
  try {
    judgeProfile({ ...RIGHT, ...change }, AUTHORITIES);
    return [];
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'certificate-profile-invalid') throw error;
    expect(error.kind).toBe('unprocessable');
    return (error.fields ?? []).map(({ pointer }) => pointer);
  }
}
const names = (change: Partial<CertificateProfileContents['names']>) => ({ names: { ...RIGHT.names, ...change } });
const plain = names({ kerberosPrincipal: false, securityIdentifier: false });

describe('a certificate profile', () => {
  test('that fits together is taken', () => {
    expect(wrong({})).toEqual([]);
    expect(wrong({ renewalDays: 89, maxKeyAgeDays: null })).toEqual([]);
    expect(wrong({ kind: 'tls-client', authority: 'office', ...plain })).toEqual([]);
  });

  test.each<[string, Partial<CertificateProfileContents>, string[]]>([
    ['for the same key type twice', { keyTypes: ['ec-p256', 'ec-p256'] }, ['/keyTypes/1']],
    ['shorter than the CA gives', { validitySeconds: 3599, renewalDays: null }, ['/validitySeconds']],
    [
      'longer than the CA gives',
      { validitySeconds: LONGEST_VALIDITY_SECONDS + 1, maxKeyAgeDays: null },
      ['/validitySeconds'],
    ],
    ['with a renewal window as long as its life', { renewalDays: 90 }, ['/renewalDays']],
    ['with keys younger than one certificate', { maxKeyAgeDays: 89 }, ['/maxKeyAgeDays']],
    ['with a CA that is not there', { authority: 'elsewhere' }, ['/authority']],
    ['with a CA that issues no such kind', { authority: 'office' }, ['/authority']],
    [
      'with a name that the CA can not write',
      { kind: 'tls-client', authority: 'mail', ...plain },
      ['/names/userPrincipalName'],
    ],
    [
      'of a sign-in without a name of an account',
      names({ userPrincipalName: false, kerberosPrincipal: false }),
      ['/names/userPrincipalName'],
    ],
    [
      'of a TLS client with names of accounts',
      { kind: 'tls-client' },
      ['/names/kerberosPrincipal', '/names/securityIdentifier'],
    ],
    [
      'of a mail signature without an address',
      {
        kind: 'smime-signature',
        ...names({ userPrincipalName: false, kerberosPrincipal: false, securityIdentifier: false }),
      },
      ['/names/email'],
    ],
    ['of a volume for EC keys', { kind: 'volume-encryption', ...plain }, ['/keyTypes/0']],
    [
      'of a device that names a person',
      { kind: 'device', ...plain },
      ['/names/userPrincipalName', '/names/organization', '/names/email'],
    ],
    [
      'wrong in many places',
      { keyTypes: ['rsa-3072', 'rsa-3072'], validitySeconds: 60, authority: '' },
      ['/keyTypes/1', '/validitySeconds', '/renewalDays', '/authority'],
    ],
  ])('%s is refused, and each place is named', (_what, change, pointers) => {
    expect(wrong(change)).toEqual(pointers);
  });
});
