import { describe, expect, test } from 'vitest';
import type { CertificateKind, CertificateProfileContents } from './certificate-profile.ts';
import { effectiveRule } from './certificate-profile.ts';
import { commonNameOf, derivedPrincipal, makeOrder, type PersonNames, principalOf } from './order.ts';

const NONE = {
  userPrincipalName: false,
  kerberosPrincipal: false,
  email: 'none',
  securityIdentifier: false,
  organization: false,
} as const;
const ALL = { ...NONE, userPrincipalName: true, kerberosPrincipal: true, securityIdentifier: true, organization: true };
const profile = (
  kind: CertificateKind,
  more: Partial<CertificateProfileContents> = {},
): CertificateProfileContents => ({
  displayName: 'For a test',
  kind,
  authority: 'embedded',
  keyTypes: ['ec-p256'],
  validitySeconds: 86_400,
  renewalDays: null,
  renewalKey: 'same',
  maxKeyAgeDays: null,
  attestation: null,
  containerDefault: null,
  people: null,
  names: NONE,
  ...more,
});
const MARY: PersonNames = {
  displayName: 'Mary Major',
  userPrincipalName: 'mary@corp.example',
  email: 'Mary.Major@corp.example',
  organization: 'Corp',
  securityIdentifier: 'S-1-5-21-1-2-3-1001',
  kerberosPrincipal: null,
};
const order = (contents: CertificateProfileContents, person: Partial<PersonNames> = {}, host = 'lap-0421') =>
  makeOrder(contents, {}, { ...MARY, ...person }, host);
const code = (expected: string) => expect.objectContaining({ kind: 'unprocessable', code: expected });

describe('an order', () => {
  test('has the names of the record that its profile asks for, and no other', () => {
    expect(order(profile('smart-card-sign-in', { names: { ...ALL, email: 'if-any' } }))).toEqual({
      kind: 'smart-card-sign-in',
      commonName: 'Mary Major',
      organization: 'Corp',
      userPrincipalName: 'mary@corp.example',
      kerberosPrincipal: 'mary@CORP.EXAMPLE',
      email: 'Mary.Major@corp.example',
      dnsNames: null,
      securityIdentifier: 'S-1-5-21-1-2-3-1001',
      validitySeconds: 86_400,
    });
    expect(order(profile('document-signature'))).toEqual({
      kind: 'document-signature',
      commonName: 'Mary Major',
      ...{ organization: null, userPrincipalName: null, kerberosPrincipal: null, email: null, dnsNames: null },
      ...{ securityIdentifier: null, validitySeconds: 86_400 },
    });
  });

  test('is for the people of its profile, by organisation and by domain', () => {
    const contents = profile('tls-client', { people: { organizations: ['Corp', 'Other'], domains: ['corp.example'] } });
    expect(order(contents).commonName).toBe('Mary Major');
    for (const stranger of [
      { organization: null },
      { organization: 'corp' },
      { userPrincipalName: 'mary@evil.example' },
      { userPrincipalName: 'mary@sub.corp.example' },
    ]) {
      expect(() => order(contents, stranger)).toThrow(code('certificate-not-for-person'));
    }
  });

  test('is refused where the record lacks a name that is demanded', () => {
    const mail = profile('smime-signature', { names: { ...NONE, email: 'required' } });
    expect(order(mail).email).toBe('Mary.Major@corp.example');
    for (const email of [null, 'müller@corp.example', 'mary', `${'x'.repeat(65)}@corp.example`]) {
      expect(() => order(mail, { email })).toThrow(code('certificate-name-missing'));
    }
    const kerberos = profile('smart-card-sign-in', { names: { ...NONE, kerberosPrincipal: true } });
    expect(() => order(kerberos, { userPrincipalName: 'jürgen@corp.example' })).toThrow(
      code('certificate-name-missing'),
    );
    expect(
      order(kerberos, { userPrincipalName: 'jürgen@corp.example', kerberosPrincipal: 'j@R' }).kerberosPrincipal,
    ).toBe('j@R');
  });

  test('leaves out an address that no certificate can carry, where none is demanded', () => {
    expect(
      order(profile('tls-client', { names: { ...NONE, email: 'if-any' } }), { email: 'ä@b.example' }).email,
    ).toBeNull();
  });

  test.each(['mary/admin@corp.example', 'mary\\admin@corp.example', `${'x'.repeat(129)}@corp.example`])(
    'never carries %s, which Kerberos or Windows would read as another name',
    (userPrincipalName) => {
      const contents = profile('smart-card-sign-in', { names: { ...NONE, userPrincipalName: true } });
      expect(() => order(contents, { userPrincipalName })).toThrow(code('certificate-name-unusable'));
    },
  );

  test('for a device names the device and not its person', () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
    expect(order(profile('device'), {}, 'Lap-0421.corp.example')).toMatchObject({
      commonName: 'Lap-0421.corp.example',
      dnsNames: ['Lap-0421.corp.example'],
      userPrincipalName: null,
    });
    expect(order(profile('device'), {}, long)).toMatchObject({ commonName: 'a'.repeat(60), dnsNames: [long] });
    for (const host of [
      '',
      'lap 1',
      'lap_1',
      '-lap',
      'lap-',
      '10.0.0.1',
      'a..b',
      '*.corp.example',
      'läp',
      `${'a'.repeat(64)}`,
    ]) {
      expect(() => order(profile('device'), {}, host), host).toThrow(code('device-name-unusable'));
    }
  });
});

test('a common name has at most 64 characters, whole ones, and no blank at its end', () => {
  expect(commonNameOf(`${'x'.repeat(63)} and more`)).toBe('x'.repeat(63));
  expect(commonNameOf('😀'.repeat(80))).toBe('😀'.repeat(64));
});

test('a principal follows from the user principal name, unless the directory says one', () => {
  expect(derivedPrincipal('mary@corp.example')).toBe('mary@CORP.EXAMPLE');
  expect(derivedPrincipal('jürgen@corp.example')).toBeNull();
  expect(principalOf({ userPrincipalName: 'mary@corp.example', kerberosPrincipal: 'mm@Mixed.Case' })).toBe(
    'mm@Mixed.Case',
  );
});

test('a container may shorten what its certificate profile says, and never weaken it', () => {
  const contents = profile('tls-client', {
    renewalDays: 10,
    renewalKey: 'new',
    maxKeyAgeDays: 30,
    attestation: 'required',
  });
  expect(effectiveRule({}, contents)).toEqual({
    ...{ validitySeconds: 86_400, renewalDays: 10, renewalKey: 'new', maxKeyAgeDays: 30, attestation: 'required' },
  });
  expect(effectiveRule({ validitySeconds: 3600, renewalDays: 5, renewalKey: 'same' }, contents)).toMatchObject({
    ...{ validitySeconds: 3600, renewalDays: 5, renewalKey: 'new' },
  });
  expect(effectiveRule({ validitySeconds: 90_000 }, contents).validitySeconds).toBe(86_400);
  expect(effectiveRule({ renewalKey: 'new' }, profile('tls-client')).renewalKey).toBe('new');
});
