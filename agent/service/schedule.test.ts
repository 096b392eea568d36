import { describe, expect, it } from 'vitest';
import { afterFailure, afterSuccess, atStart, BOUNDS, isDue } from './schedule.ts';

const RANDOM = [0, 0.25, 0.5, 0.999] as const;
const seconds = ({ dueAt }: { dueAt: number }) => dueAt / 1000;

describe('the next check-in', () => {
  it.each(RANDOM)('is near what the server said, spread by a tenth (%d)', (random) => {
    const at = seconds(afterSuccess(0, 300, () => random));
    expect(at).toBeGreaterThanOrEqual(270);
    expect(at).toBeLessThanOrEqual(330);
  });

  it.each([
    [0, BOUNDS.leastSeconds],
    [-5, BOUNDS.leastSeconds],
    [1e12, BOUNDS.mostSeconds],
    [null, BOUNDS.usualSeconds],
  ])('of a server that says %s is within bounds', (said, expected) => {
    expect(seconds(afterSuccess(0, said, () => 0.5))).toBe(expected);
  });

  it('differs between devices, also at their start', () => {
    expect(new Set(RANDOM.map((random) => afterSuccess(0, 300, () => random).dueAt)).size).toBe(4);
    expect(new Set(RANDOM.map((random) => atStart(0, () => random).dueAt)).size).toBe(4);
    expect(seconds(atStart(0, () => 0.999))).toBeLessThan(BOUNDS.firstWithinSeconds);
  });
});

describe('a server that is away', () => {
  it('is asked ever more rarely, never beyond a bound, for weeks', () => {
    let schedule = { dueAt: 0, failures: 0 };
    const waits: number[] = [];
    for (let failure = 0; failure < 5000; failure++) {
      const next = afterFailure(schedule, schedule.dueAt, null, () => 0.999);
      waits.push((next.dueAt - schedule.dueAt) / 1000);
      schedule = next;
    }
    expect(waits.slice(0, 4).map(Math.round)).toEqual([5, 10, 20, 40]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(BOUNDS.longestBackOffSeconds);
    expect(waits.at(-1)).toBeGreaterThan(BOUNDS.longestBackOffSeconds / 2);
    expect(afterSuccess(0, 300, () => 0.5).failures).toBe(0);
  });

  it('is never asked before its Retry-After, and that is bounded', () => {
    for (const random of RANDOM) {
      expect(seconds(afterFailure({ failures: 0 }, 0, 120, () => random))).toBeGreaterThanOrEqual(120);
      const absurd = seconds(afterFailure({ failures: 0 }, 0, 1e15, () => random));
      expect(absurd).toBeLessThanOrEqual(BOUNDS.mostSeconds * 1.1);
    }
  });
});

it('a clock that was set back does not stop it', () => {
  const year = 365 * 24 * 3600 * 1000;
  const schedule = afterSuccess(year, 300, () => 0.5);
  expect(isDue(schedule, year)).toBe(false);
  expect(isDue(schedule, year + 300_000)).toBe(true);
  expect(isDue(schedule, 0)).toBe(true);
});
