import { DomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { nextAttempt } from './back-off.ts';
import { failureOf } from './failure.ts';
import { demandHoldAct, type Standing } from './hold.ts';
import { demandInvalidity } from './revocation.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const seconds = (attempts: number, refused = false) =>
  (nextAttempt(attempts, refused, NOW).getTime() - NOW.getTime()) / 1000;
const codeOf = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return error instanceof DomainError ? `${error.kind} ${error.code}` : error;
  }
};

describe('a CA that was asked in vain', () => {
  it('is asked ever more seldom, and never given up', () => {
    expect([1, 2, 3, 4, 5, 8, 9, 10_000].map((attempts) => seconds(attempts))).toEqual([
      5, 10, 20, 40, 80, 640, 900, 900,
    ]);
  });

  it('and would not is asked again in an hour', () => {
    expect(seconds(1, true)).toBe(3600);
    const refusal = new DomainError('unprocessable', 'certificate-unknown', 'Not one of ours.');
    expect(failureOf(refusal, { attempts: 2 }, NOW)).toEqual({
      attempts: 3,
      error: { code: 'certificate-unknown', detail: 'Not one of ours.', refused: true },
      nextAttemptAt: new Date('2026-11-20T10:00:00Z'),
    });
  });

  it('is told apart from an error of ours, of which nothing is kept but that it was', () => {
    for (const error of [new Error('password=x'), new DomainError('internal', 'ca-answer-other-key', 'password=x')]) {
      const { error: kept } = failureOf(error, { attempts: 0 }, NOW);
      expect(kept).toMatchObject({ code: 'internal', refused: false });
      expect(kept.detail).not.toContain('password');
    }
  });
});

describe('a hold or release', () => {
  const judged = (act: 'hold' | 'release', standing: Partial<Standing>) =>
    codeOf(() => demandHoldAct(act, { status: 'active', revocationProposed: false, open: null, ...standing }));

  it('follows the state of the certificate', () => {
    expect(judged('hold', {})).toBe('begin');
    expect(judged('hold', { status: 'on-hold' })).toBe('again');
    expect(judged('release', { status: 'on-hold' })).toBe('begin');
    expect(judged('release', {})).toBe('conflict certificate-not-on-hold');
    for (const status of ['proposed', 'failed', 'expired']) {
      expect(judged('hold', { status })).toBe('conflict certificate-not-active');
      expect(judged('release', { status })).toBe('conflict certificate-not-on-hold');
    }
  });

  it('waits for the one before, and for nothing once the certificate is revoked', () => {
    expect(judged('hold', { open: 'hold' })).toBe('again');
    expect(judged('release', { open: 'hold' })).toBe('conflict hold-under-way');
    expect(judged('hold', { status: 'on-hold', open: 'release' })).toBe('conflict release-under-way');
    for (const act of ['hold', 'release'] as const) {
      expect(judged(act, { revocationProposed: true, open: act })).toBe('conflict certificate-already-revoked');
      expect(judged(act, { status: 'revoked' })).toBe('conflict certificate-already-revoked');
    }
  });
});

it('an invalidity date lies between the beginning of the certificate and now, both included', () => {
  const begin = new Date('2026-11-01T00:00:00Z');
  const judged = (date: Date | undefined) => codeOf(() => demandInvalidity(date, begin, NOW)) ?? 'right';
  expect([undefined, begin, NOW].map(judged)).toEqual(['right', 'right', 'right']);
  expect(judged(new Date(begin.getTime() - 1))).toBe('unprocessable invalidity-date-before-certificate');
  expect(judged(new Date(NOW.getTime() + 1))).toBe('unprocessable invalidity-date-in-future');
});
