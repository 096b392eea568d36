import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkPin, DEFAULT_PIN_POLICY, type PinPolicy } from '../pin/index.ts';
import { randomPin } from './random-pin.ts';

const strict: PinPolicy = { ...DEFAULT_PIN_POLICY, uppercase: 'required', lowercase: 'required', digits: 'required' };
const POLICIES: Record<string, PinPolicy> = {
  usual: DEFAULT_PIN_POLICY,
  'of four digits': { ...DEFAULT_PIN_POLICY, minLength: 4, maxLength: 4, ...only('digits') },
  'of four characters of four kinds': { ...strict, minLength: 4, maxLength: 4, special: 'required' },
  'of signs alone': { ...DEFAULT_PIN_POLICY, ...only('special') },
  'of 127 characters': { ...strict, minLength: 127, maxLength: 127 },
};

function only(kind: 'digits' | 'special') {
  const none = {
    uppercase: 'disallowed',
    lowercase: 'disallowed',
    digits: 'disallowed',
    special: 'disallowed',
  } as const;
  return { ...none, [kind]: 'required' as const };
}

describe('a random PIN', () => {
  it.each(Object.entries(POLICIES))('obeys a policy %s', (_name, policy) => {
    const made = new Set(Array.from({ length: 50 }, () => randomPin(policy, randomBytes)));
    for (const pin of made) expect(checkPin(pin, policy)).toEqual({ ok: true });
    expect(made.size).toBeGreaterThan(40);
  });

  it('takes each character as often as the other, whatever the bytes', () => {
    // 54 characters do not divide 256: bytes of 216 and more have to be thrown again.
    const bytes = [...Array(256).keys()].reverse();
    let at = 0;
    const counted = new Map<string, number>();
    const policy: PinPolicy = { ...DEFAULT_PIN_POLICY, special: 'disallowed', refuseCommon: false };
    for (let i = 0; i < 200; i++) {
      const pin = randomPin(policy, () => new Uint8Array([bytes[at++ % 256] ?? 0]));
      for (const character of pin) counted.set(character, (counted.get(character) ?? 0) + 1);
    }
    const counts = [...counted.values()];
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(12);
  });

  it('is not searched for ever where hardly any PIN would do', () => {
    const policy: PinPolicy = { ...DEFAULT_PIN_POLICY, ...only('digits') };
    expect(() => randomPin(policy, () => new Uint8Array([0]))).toThrow('hardly');
  });
});
