import { expect, test } from 'vitest';
import type { CertificateProfile } from '../app/contract.ts';
import { contentsOf, fitted, NEW_CONTENTS, typedContents } from './contents.ts';

const profile: CertificateProfile = {
  name: 'sign-in-strong',
  version: 3,
  kind: 'smart-card-sign-in',
  displayName: 'Strong',
  authority: 'embedded',
  keyTypes: ['ec-p384'],
  validitySeconds: 100_000,
  renewalDays: null,
  renewalKey: 'new',
  maxKeyAgeDays: 1095,
  attestation: 'required',
  containerDefault: 'sign-in',
  people: { domains: ['example.com', 'example.org'], organizations: ['Acme, Inc.'] },
  names: {
    userPrincipalName: true,
    kerberosPrincipal: false,
    email: 'required',
    securityIdentifier: true,
    organization: false,
  },
  createdAt: '2026-11-20T09:00:00.000Z',
  createdBy: { id: 'o', name: 'security-officer' },
};

test('a profile that is opened and saved stays what it was', () => {
  const { name, version, kind, createdAt, createdBy, ...contents } = profile;
  expect([name, version, kind, createdAt, createdBy].length).toBe(5);
  expect(contentsOf(typedContents(profile))).toEqual(contents);
});

test('nothing is sent while something is missing', () => {
  expect(contentsOf(NEW_CONTENTS)).toBeNull();
  const typed = { ...NEW_CONTENTS, displayName: 'Mine' };
  expect(contentsOf(typed)).toMatchObject({ renewalDays: null, maxKeyAgeDays: null, people: null });
  expect(contentsOf({ ...typed, validityDays: '' })).toBeNull();
  expect(contentsOf({ ...typed, validityDays: '0' })).toBeNull();
  expect(contentsOf({ ...typed, renewalDays: 'soon' })).toBeNull();
  expect(contentsOf({ ...typed, keyTypes: [] })).toBeNull();
});

test('another purpose leaves out the names that it can not carry', () => {
  expect(fitted(NEW_CONTENTS, 'device')).toMatchObject({ flags: [], email: 'none' });
  expect(fitted(NEW_CONTENTS, 'smime-signature')).toMatchObject({ flags: [], email: 'required' });
  expect(fitted(NEW_CONTENTS, 'volume-encryption')).toMatchObject({
    keyTypes: ['rsa-2048'],
    flags: ['userPrincipalName'],
  });
});
