import { expect, it } from 'vitest';
import { safeReturnPath } from './session.ts';

it.each([
  ['/cards/1?x=y#z', '/cards/1?x=y#z'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/\n/evil.example', '/'],
  ['/cards/\\evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?redirect=/sign-in', '/'],
  ['', '/'],
  [undefined, '/'],
])('after sign-in %j leads to %s', (asked, leads) => {
  expect(safeReturnPath(asked)).toBe(leads);
});
