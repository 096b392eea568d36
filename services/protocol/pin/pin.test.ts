import { describe, expect, it } from 'vitest';
import { checkPin, normalisedPin, type PinPolicy } from './index.ts';

const policy: PinPolicy = {
  minLength: 6,
  maxLength: 12,
  uppercase: 'allowed',
  lowercase: 'allowed',
  digits: 'allowed',
  special: 'allowed',
  refuseSequences: true,
  refuseRepeats: true,
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
    ['123456', { refuseSequences: false }, 'ok'],
    ['738291', { uppercase: 'required' }, 'pin-policy-uppercase-required'],
    ['738291', { lowercase: 'required' }, 'pin-policy-lowercase-required'],
    ['abcxyz', { digits: 'required' }, 'pin-policy-digit-required'],
    ['738291', { special: 'required' }, 'pin-policy-special-required'],
    ['73829A', { uppercase: 'disallowed' }, 'pin-policy-uppercase-disallowed'],
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
