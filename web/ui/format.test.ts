import { describe, expect, it } from 'vitest';
import { asSentence, formatExactTime, formatTime, inGroups, inWords } from './format.ts';

describe('times', () => {
  it('are written in the zone and language asked for', () => {
    expect(formatTime('2026-11-20T21:21:27Z', 'en-GB', 'Europe/Berlin')).toBe('20 Nov 2026, 22:21');
    expect(formatExactTime('2026-11-20T21:21:27Z', 'en-GB', 'UTC')).toBe('20 Nov 2026, 21:21:27');
  });

  it('that are none are shown as they came', () => {
    expect(formatTime('soon')).toBe('soon');
    expect(formatExactTime('')).toBe('');
  });
});

describe('groups', () => {
  it.each([
    ['7k3m92qf', '7K3M 92QF'],
    ['7K3M-92QF-XD4T', '7K3M 92QF XD4T'],
    ['7k3m 9', '7K3M 9'],
    ['  ', ''],
  ])('%j is written %j', (typed, shown) => {
    expect(inGroups(typed)).toBe(shown);
  });
});

it.each([
  ['is required', 'Is required.'],
  ['Wait.', 'Wait.'],
])('makes %j a sentence', (remark, sentence) => {
  expect(asSentence(remark)).toBe(sentence);
});

it('says identifiers in words', () => {
  expect(inWords('unblock-session.opened')).toBe('unblock session opened');
});
