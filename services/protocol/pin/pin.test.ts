import { describe, expect, it } from 'vitest';
import { checkPin, DEFAULT_PIN_POLICY, normalisedPin, type PinPolicy, pinPolicyProblem } from './index.ts';

const policy: PinPolicy = {
  minLength: 6,
  maxLength: 12,
  uppercase: 'allowed',
  lowercase: 'allowed',
  digits: 'allowed',
  special: 'allowed',
  refuseSequences: true,
  refuseRepeats: true,
  refuseCommon: true,
};
const code = (pin: string, changes: Partial<PinPolicy> = {}) => {
  const verdict = checkPin(pin, { ...policy, ...changes });
  return verdict.ok ? 'ok' : verdict.code;
};

describe('the rules of a PIN', () => {
  it.each([
    ['738291', {}, 'ok'],
    ['Grüße42!', {}, 'ok'],
    ['73829', {}, 'pin-policy-too-short'],
    ['7382917382917', {}, 'pin-policy-too-long'],
    ['73829\t1', {}, 'pin-policy-control-character'],
    ['73829\ufffd', {}, 'pin-policy-unreadable-character'],
    ['73829\ud83c', {}, 'pin-policy-unreadable-character'],
    ['111111', {}, 'pin-policy-repeat'],
    ['121212', {}, 'pin-policy-repeat'],
    ['123123', {}, 'pin-policy-repeat'],
    ['123456', {}, 'pin-policy-sequence'],
    ['987654', {}, 'pin-policy-sequence'],
    ['abcdef', {}, 'pin-policy-sequence'],
    ['123456', { refuseSequences: false, refuseCommon: false }, 'ok'],
    ['123456', { refuseSequences: false }, 'pin-policy-common'],
    ['111111', { refuseRepeats: false, refuseCommon: false }, 'ok'],
    ['111111', { refuseRepeats: false }, 'pin-policy-common'],
    ['147258', {}, 'pin-policy-common'],
    ['PassWort', {}, 'pin-policy-common'],
    ['Sommer2024', {}, 'pin-policy-common'],
    ['Password!', {}, 'pin-policy-common'],
    ['1984', { minLength: 4 }, 'pin-policy-common'],
    ['1884', { minLength: 4 }, 'ok'],
    ['Sommerregen', {}, 'ok'],
    ['147258', { refuseCommon: false }, 'ok'],
    ['738291', { uppercase: 'required' }, 'pin-policy-uppercase-required'],
    ['738291', { lowercase: 'required' }, 'pin-policy-lowercase-required'],
    ['abcxyz', { digits: 'required' }, 'pin-policy-digit-required'],
    ['738291', { special: 'required' }, 'pin-policy-special-required'],
    ['73829A', { uppercase: 'disallowed' }, 'pin-policy-uppercase-disallowed'],
    ['73829a', { lowercase: 'disallowed' }, 'pin-policy-lowercase-disallowed'],
    ['abcxyz1', { digits: 'disallowed' }, 'pin-policy-digit-disallowed'],
    ['73829-', { special: 'disallowed' }, 'pin-policy-special-disallowed'],
  ] as const)('%j with %j: %s', (pin, changes, expected) => {
    expect(code(pin, changes)).toBe(expected);
  });

  it('are those of its one form, however its characters were composed', () => {
    const decomposed = 'cafe\u0301';
    expect(normalisedPin(decomposed)).toBe('caf\u00e9');
    expect(code(decomposed, { minLength: 5 })).toBe('pin-policy-too-short');
    expect(code(`${decomposed}s`, { special: 'disallowed', minLength: 5 })).toBe('ok');
  });

  it('counts code points, not UTF-16 units, and never repeats the PIN', () => {
    expect(code('🂡🂢🂥🂩🂪')).toBe('pin-policy-too-short');
    const verdict = checkPin('secret', { ...policy, digits: 'required' });
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });
});

describe('a policy', () => {
  const problem = (changes: Partial<PinPolicy>) => pinPolicyProblem({ ...DEFAULT_PIN_POLICY, ...changes });
  const none = { uppercase: 'disallowed', lowercase: 'disallowed', digits: 'disallowed' } as const;

  it.each([
    [{ minLength: 3 }, /4 to 127/],
    [{ maxLength: 128 }, /4 to 127/],
    [{ minLength: 8, maxLength: 7 }, /greater/],
    [{ ...none, special: 'disallowed' }, /Every kind/],
  ] as const)('%j leaves no PIN', (changes, why) => {
    expect(problem(changes)).toMatch(why);
  });

  it.each([{}, { ...none }, { minLength: 4, maxLength: 4 }, { minLength: 127 }])('%j leaves some', (changes) => {
    expect(problem(changes)).toBeUndefined();
  });

  it('takes PINs of 4 and of 127 characters, and the card takes any length', () => {
    const widest = { minLength: 4, maxLength: 127, refuseSequences: false, refuseRepeats: false, refuseCommon: false };
    for (const [length, expected] of [
      [3, 'pin-policy-too-short'],
      [4, 'ok'],
      [127, 'ok'],
      [128, 'pin-policy-too-long'],
    ] as const) {
      expect(code('7'.repeat(length), widest), `${length}`).toBe(expected);
    }
  });
});
