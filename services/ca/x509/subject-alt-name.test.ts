import { describe, expect, it } from 'vitest';
import { kerberosPrincipal, subjectAltName } from './subject-alt-name.ts';

describe('the Kerberos principal of a user principal name', () => {
  it.each([
    ['alice@corp.example', 'alice@CORP.EXAMPLE'],
    ['Alice.Adams@Corp.Example', 'Alice.Adams@CORP.EXAMPLE'],
    ['jürgen@corp.example', null],
    ['alice@büro.example', null],
  ])('%s', (upn, principal) => {
    expect(kerberosPrincipal(upn)).toEqual(principal);
  });

  it('without any name there is no extension', () => {
    expect(subjectAltName({})).toBeNull();
  });
});
