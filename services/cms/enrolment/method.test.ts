import { isDomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { chooseMethod, demandNotOneself, demandVerification } from './method.ts';

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return isDomainError(error) ? error.code : String(error);
  }
};
const verification = { method: 'in-person', evidence: 'Passport' } as const;

describe('the method of an enrolment', () => {
  const profile = { enrolmentMethods: ['on-behalf', 'code'] } as const;

  it('is the one asked for, or the first of the profile, and no other', () => {
    expect(chooseMethod(profile, undefined)).toBe('on-behalf');
    expect(chooseMethod(profile, 'code')).toBe('code');
    expect(codeOf(() => chooseMethod(profile, 'existing-certificate'))).toBe('enrolment-method-not-allowed');
  });

  it.each([
    ['code', 'holder', false],
    ['code', 'supervised', false],
    ['code', 'handed-over', true],
    ['on-behalf', 'holder', true],
    ['on-behalf', 'supervised', true],
    ['existing-certificate', 'holder', false],
    ['pre-provisioned', 'supervised', false],
    ['pre-provisioned', 'handed-over', true],
  ] as const)('%s with a PIN of %s: verified when it is made: %s', (method, initialPin, wanted) => {
    const without = codeOf(() => demandVerification(method, initialPin, undefined));
    const given = codeOf(() => demandVerification(method, initialPin, verification));
    expect([without, given]).toEqual(
      wanted ? ['verification-required', undefined] : [undefined, 'verification-not-for-method'],
    );
  });
});

it('nobody vouches for themself, as far as a name tells', () => {
  const person = { userPrincipalName: 'Ada@example.org', email: 'lovelace@example.org' };
  for (const name of ['ada', 'ADA@EXAMPLE.ORG', 'lovelace', 'lovelace@example.org']) {
    expect(codeOf(() => demandNotOneself(name, person))).toBe('vouching-for-oneself');
  }
  for (const name of ['grace', 'adam', 'example.org', '']) {
    expect(codeOf(() => demandNotOneself(name, { ...person, email: null }))).toBeUndefined();
  }
});
