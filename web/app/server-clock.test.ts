import { expect, it } from 'vitest';
import { heardServerTime, serverNow } from './server-clock.ts';

it("follows the server's clock, not the computer's", () => {
  const here = Date.parse('2026-01-01T10:00:00Z');
  heardServerTime('Thu, 01 Jan 2026 10:05:00 GMT', here);
  expect(serverNow(here + 1_000)).toBe(Date.parse('2026-01-01T10:05:01Z'));
  heardServerTime('nonsense', here);
  heardServerTime(null, here);
  expect(serverNow(here)).toBe(Date.parse('2026-01-01T10:05:00Z'));
});
