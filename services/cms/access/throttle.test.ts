import { describe, expect, it } from 'vitest';
import { createSignInThrottle } from './throttle.ts';

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000);

function failTimes(count: number, key = 'mary 192.0.2.1') {
  const throttle = createSignInThrottle();
  for (let i = 0; i < count; i++) throttle.failed(key, at(0));
  return throttle;
}

describe('failed sign-ins', () => {
  it('are free five times, then cost twice the wait each', () => {
    expect(() => failTimes(4).demand('mary 192.0.2.1', at(0))).not.toThrow();
    const waits = [5, 6, 7, 8].map((count) => {
      try {
        failTimes(count).demand('mary 192.0.2.1', at(0));
        return 0;
      } catch (error) {
        expect(error).toMatchObject({ kind: 'too-many', code: 'sign-in-throttled' });
        return (error as { data: { retryAfterSeconds: number } }).data.retryAfterSeconds;
      }
    });
    expect(waits).toEqual([2, 4, 8, 16]);
  });

  it('never cost more than a quarter of an hour', () => {
    expect(() => failTimes(40).demand('mary 192.0.2.1', at(899))).toThrow();
    expect(() => failTimes(40).demand('mary 192.0.2.1', at(901))).not.toThrow();
  });

  it('of one address do not lock the same name out elsewhere', () => {
    expect(() => failTimes(20).demand('mary 192.0.2.99', at(0))).not.toThrow();
  });

  it('are forgotten by a success, and after their time', () => {
    const throttle = failTimes(20);
    throttle.succeeded('mary 192.0.2.1');
    expect(() => throttle.demand('mary 192.0.2.1', at(0))).not.toThrow();
    const later = failTimes(20);
    later.failed('mary 192.0.2.1', at(16 * 60));
    expect(() => later.demand('mary 192.0.2.1', at(16 * 60))).not.toThrow();
  });
});
