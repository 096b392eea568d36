import { describe, expect, it } from 'vitest';
import { kerberosPrincipal, subjectAltName } from './subject-alt-name.ts';

describe('the Kerberos principal of a user principal name', () => {
  it.each([
    ['alice@corp.example', { name: 'alice', realm: 'CORP.EXAMPLE' }],
    ['Alice.Adams@Corp.Example', { name: 'Alice.Adams', realm: 'CORP.EXAMPLE' }],
    ['jürgen@corp.example', null],
    ['alice@büro.example', null],
  ])('%s', (upn, principal) => {
    expect(kerberosPrincipal(upn)).toEqual(principal);
  });

  it('is left out where it has no ASCII form, and the UPN stays', () => {
    const san = subjectAltName({ userPrincipalName: 'jürgen@corp.example' });
    expect(san?.includes(Buffer.from('jürgen@corp.example', 'utf8'))).toBe(true);
    expect(san?.includes(Buffer.from('CORP.EXAMPLE'))).toBe(false);
  });

  it('without any name there is no extension', () => {
    expect(subjectAltName({})).toBeNull();
  });
});
