import { describe, expect, it } from 'vitest';
import { demandDue, demandKey, renewableFrom } from './policy.ts';

const notBefore = new Date('2026-01-01T00:00:00Z');
const after = (days: number) => new Date(notBefore.getTime() + days * 86_400_000);
const dayOf = (life: number, renewalDays?: number) => {
  const from = renewableFrom({ notBefore, notAfter: after(life) }, { keyType: 'ec-p256', renewalDays });
  return (from.getTime() - notBefore.getTime()) / 86_400_000;
};

describe('a certificate can be renewed', () => {
  it.each([
    [365, undefined, 335],
    [90, undefined, 60],
    [30, undefined, 20],
    [3, undefined, 2],
    [365, 60, 305],
    [365, 1, 364],
    // A window longer than its life would renew it for ever.
    [30, 60, 15],
    [365, 365, 182.5],
  ])('of %d days, with a window of %s days, from day %d on', (life, renewalDays, expected) => {
    expect(dayOf(life, renewalDays)).toBe(expected);
  });

  it('not a moment earlier', () => {
    const from = after(335);
    expect(() => demandDue(from, new Date(from.getTime() - 1))).toThrow(
      expect.objectContaining({ code: 'renewal-too-early', data: { renewableFrom: from.toISOString() } }),
    );
    expect(() => demandDue(from, from)).not.toThrow();
  });

  it('at once when somebody asked for it, and not later than by its window', () => {
    const requested = (at: Date) => renewableFrom({ notBefore, notAfter: after(365) }, { keyType: 'ec-p256' }, at);
    expect(requested(after(10))).toEqual(after(10));
    expect(requested(after(350))).toEqual(after(335));
  });

  it('with the same key, unless the profile asks for a new one or the key is too old', () => {
    const facts = { keySince: notBefore };
    const refused = expect.objectContaining({ code: 'renewal-needs-new-key' });
    const aged = { keyType: 'ec-p256', maxKeyAgeDays: 700 };
    expect(() => demandKey({ keyType: 'ec-p256', maxKeyAgeDays: null }, 'same', facts, after(5000))).not.toThrow();
    expect(() => demandKey({ keyType: 'ec-p256', renewalKey: 'new' }, 'new', facts, after(1))).not.toThrow();
    expect(() => demandKey({ keyType: 'ec-p256', renewalKey: 'new' }, 'same', facts, after(1))).toThrow(refused);
    expect(() => demandKey(aged, 'same', facts, after(700))).not.toThrow();
    expect(() => demandKey(aged, 'same', facts, new Date(after(700).getTime() + 1))).toThrow(refused);
    expect(() => demandKey(aged, 'new', facts, after(701))).not.toThrow();
  });
});
