import { expect, it } from 'vitest';
import { alertGate, MAX_ALERTS_AN_HOUR } from './alert-gate.ts';

const use = (requestId: string, cardId = 'card') => ({
  ...{ operation: 'answer', cardId, requestedBy: 'op', requestId, keyVersion: 1, challengeDigest: null },
});

it('tells of each blob that does not open, and of a limit once in ten minutes for a card and a requester', () => {
  const gate = alertGate();
  expect(['a', 'b'].map((id) => gate.wants(use(id), 'vault-blob-invalid', 0))).toEqual([true, true]);
  const limit = (cardId: string, minute: number) =>
    gate.wants(use('x', cardId), 'vault-limit-reached', minute * 60_000);
  expect([limit('one', 0), limit('one', 9), limit('two', 9), limit('one', 10)]).toEqual([true, false, true, true]);
});

it('is silent about everything else', () => {
  const gate = alertGate();
  for (const outcome of ['done', 'challenge-length', 'constructor', '__proto__']) {
    expect(gate.wants(use('a'), outcome, 0)).toBe(false);
  }
});

it('tells of no more than people can read, until the hour is over', () => {
  const gate = alertGate();
  const told = Array.from({ length: 1000 }, (_, n) => gate.wants(use(`r${n}`), 'vault-blob-invalid', 0));
  expect(told.filter(Boolean)).toHaveLength(MAX_ALERTS_AN_HOUR);
  expect(gate.wants(use('later'), 'vault-blob-invalid', 3_600_000)).toBe(true);
});
