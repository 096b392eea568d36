import { expect, it } from 'vitest';
import { minutesAndSeconds, secondsLeft } from './countdown.ts';

const now = Date.parse('2026-01-01T10:00:00Z');

it.each([
  ['2026-01-01T10:15:00Z', 900],
  ['2026-01-01T10:00:00.001Z', 1],
  ['2026-01-01T10:00:00Z', 0],
  ['2026-01-01T09:59:59Z', 0],
  ['never', 0],
])('until %s there are %i seconds', (expiresAt, seconds) => {
  expect(secondsLeft(expiresAt, now)).toBe(seconds);
});

it.each([
  [0, '0:00'],
  [5, '0:05'],
  [845, '14:05'],
  [3600, '1:00:00'],
  [3661, '1:01:01'],
])('%i seconds are written %s', (seconds, text) => {
  expect(minutesAndSeconds(seconds)).toBe(text);
});
