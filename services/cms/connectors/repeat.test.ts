import { describe, expect, it } from 'vitest';
import { dueForProbe } from './probe.ts';
import { demandMayAsk } from './repeat.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const history = { open: false, unknown: 0, lastStartedAt: null, wrong: 0 };

describe('a question to a CA', () => {
  it('may be asked when nothing is known of an earlier one, or all ended', () => {
    expect(() => demandMayAsk(history, NOW)).not.toThrow();
    expect(() => demandMayAsk({ ...history, wrong: 2, lastStartedAt: ago(1) }, NOW)).not.toThrow();
  });

  it('waits for one that is open', () => {
    expect(() => demandMayAsk({ ...history, open: true }, NOW)).toThrow(
      expect.objectContaining({ kind: 'unavailable', code: 'ca-unavailable' }),
    );
  });

  it.each([
    [1, 5],
    [2, 10],
    [4, 40],
    [11, 3600],
    [200, 3600],
  ])('after %d of unknown outcome waits %d s', (unknown, seconds) => {
    const asked = (after: number) => () => demandMayAsk({ ...history, unknown, lastStartedAt: ago(after) }, NOW);
    expect(asked(seconds - 1)).toThrow(expect.objectContaining({ code: 'ca-unavailable' }));
    expect(asked(seconds)).not.toThrow();
  });

  it('is not asked a fourth time when three answers were wrong', () => {
    expect(() => demandMayAsk({ ...history, wrong: 3 }, NOW)).toThrow(
      expect.objectContaining({ kind: 'unprocessable', code: 'ca-answers-wrong' }),
    );
  });
});

describe('a CA is looked for', () => {
  const state = { name: 'x', code: null, detail: null } as const;
  it.each([
    ['at once when nothing is known', undefined, true],
    [
      'every half minute while it is up',
      { ...state, state: 'up' as const, since: ago(9999), checkedAt: ago(30) },
      true,
    ],
    ['no sooner', { ...state, state: 'up' as const, since: ago(9999), checkedAt: ago(29) }, false],
    [
      'after five seconds when it has just gone',
      { ...state, state: 'down' as const, since: ago(5), checkedAt: ago(5) },
      true,
    ],
    [
      'more rarely the longer it is away',
      { ...state, state: 'down' as const, since: ago(120), checkedAt: ago(29) },
      false,
    ],
    ['and at least every minute', { ...state, state: 'down' as const, since: ago(99_999), checkedAt: ago(60) }, true],
  ])('%s', (_what, known, due) => {
    expect(dueForProbe(known, NOW)).toBe(due);
  });
});
