import { expect, it } from 'vitest';
import { answerLimits } from './limits.ts';

const HOUR = 3_600_000;
const use = (cardId: string, requestedBy = 'op', operation = 'answer') => ({
  ...{ operation, cardId, requestedBy, requestId: 'r', keyVersion: 1, challengeDigest: null },
});
function setUp(perCard: number, perRequester: number, inAll: number) {
  let now = 1_700_000_000_000;
  const limits = answerLimits({ perCard, perRequester, inAll }, () => now);
  const outcome = (...of: Parameters<typeof use>) => {
    try {
      limits.admit(use(...of));
      return 'let through';
    } catch (error) {
      const { code, data } = error as { code: string; data: { retryAfterSeconds: number } };
      return `${code} ${data.retryAfterSeconds}`;
    }
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { limits, outcome, now: () => now, pass };
}

it('lets as many through as it says, in a sliding hour, and says when the next is', () => {
  const { outcome, pass } = setUp(2, 100, 100);
  expect(outcome('a')).toBe('let through');
  pass(HOUR / 2);
  expect(outcome('a')).toBe('let through');
  const [, seconds] = outcome('a').split(' ');
  expect(Number(seconds)).toBeGreaterThan(1700);
  expect(Number(seconds)).toBeLessThanOrEqual(1800);
  pass(Number(seconds) * 1000);
  expect(outcome('a')).toBe('let through');
  expect(outcome('a')).toMatch(/^vault-limit-reached/);
  expect(outcome('b')).toBe('let through');
});

it.each([
  { what: 'a requester', limits: [100, 2, 100] as [number, number, number], requester: 'op' },
  { what: 'all', limits: [100, 100, 2] as [number, number, number], requester: 'another' },
])('counts for $what over all cards', ({ limits, requester }) => {
  const { outcome } = setUp(...limits);
  expect([outcome('a'), outcome('b')]).toEqual(['let through', 'let through']);
  expect(outcome('c', requester)).toMatch(/^vault-limit-reached/);
});

it('a refusal does not count, and other operations are not counted', () => {
  const { outcome, pass } = setUp(1, 100, 2);
  outcome('a');
  for (let n = 0; n < 50; n++) outcome('a');
  expect(outcome('b')).toBe('let through');
  for (let n = 0; n < 50; n++) expect(outcome('b', 'op', 'key.describe')).toBe('let through');
  pass(HOUR + 60_000);
  expect(outcome('a')).toBe('let through');
});

it('proposals of a key count for their card, and take no answer from anybody', () => {
  const { limits, outcome, now, pass } = setUp(2, 3, 3);
  for (const card of ['a', 'b', 'c']) {
    expect(outcome(card, 'op', 'key.propose-successor')).toBe('let through');
    expect(outcome(card, 'op', 'key.propose-replacement')).toBe('let through');
    expect(outcome(card, 'other', 'key.propose-successor')).toMatch(/^vault-limit-reached/);
    expect(outcome(card)).toBe('let through');
  }
  pass(HOUR + 60_000);
  limits.note(use('a', 'op', 'key.propose-successor'), 'done', now() - 1000);
  expect(outcome('a', 'op', 'key.propose-successor')).toBe('let through');
  expect(outcome('a', 'op', 'key.propose-successor')).toMatch(/^vault-limit-reached/);
});

it('counts what the record says, but no refusal by a limit and nothing that is an hour old', () => {
  const { limits, outcome, now } = setUp(3, 100, 100);
  limits.note(use('a'), 'done', now() - 1000);
  limits.note(use('a'), 'vault-blob-invalid', now() - 1000);
  limits.note(use('a'), 'vault-limit-reached', now() - 1000);
  limits.note(use('a'), 'done', now() - HOUR);
  expect([outcome('a'), outcome('a').slice(0, 19)]).toEqual(['let through', 'vault-limit-reached']);
});
