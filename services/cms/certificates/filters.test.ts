import { expect, it } from 'vitest';
import { assertPast, orderOf } from './filters.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const invalid = expect.objectContaining({ code: 'field-invalid' });

it('a past moment goes with whose certificates, and is not to come', () => {
  expect(() => assertPast({ asOf: NOW }, NOW)).toThrow(invalid);
  expect(() => assertPast({ asOf: NOW, status: 'revoked', certificateProfile: 'device' }, NOW)).toThrow(invalid);
  expect(() => assertPast({ asOf: new Date(NOW.getTime() + 1), cardId: 'c' }, NOW)).toThrow(invalid);
  for (const whose of ['deviceId', 'cardId', 'personId', 'serialNumber', 'thumbprint', 'publicKey']) {
    expect(() => assertPast({ asOf: NOW, [whose]: 'x' }, NOW)).not.toThrow();
  }
  expect(() => assertPast({ status: 'revoked' }, NOW)).not.toThrow();
});

it('what has expired comes by its end, and not as of a moment', () => {
  expect(orderOf({})).toBe('newest');
  expect(orderOf({ status: 'expired' })).toBe('ended');
  expect(orderOf({ status: 'expired', asOf: NOW })).toBe('newest');
  expect(orderOf({ ending: { from: NOW, before: NOW } })).toBe('ending');
});
