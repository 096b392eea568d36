import { isCommonPin } from './common-pins.ts';

/**
 * The PIN's rules, from the card profile. Checked where the PIN is typed (agent, browser) and never sent anywhere to be
 * checked. Lengths count Unicode code points; 4 to 127 is the range of Windows' virtual smart cards.
 */
export type CharacterRule = 'allowed' | 'required' | 'disallowed';

export interface PinPolicy {
  readonly minLength: number;
  readonly maxLength: number;
  readonly uppercase: CharacterRule;
  readonly lowercase: CharacterRule;
  readonly digits: CharacterRule;
  readonly special: CharacterRule;
  /** Refuse 123456, 987654, abcdef and the like. */
  readonly refuseSequences: boolean;
  /** Refuse one character repeated throughout, and short patterns repeated (121212, 123123). */
  readonly refuseRepeats: boolean;
  /** Refuse what a thief would try first: see common.ts. */
  readonly refuseCommon: boolean;
}

/** What a profile has that says nothing of it. */
export const DEFAULT_PIN_POLICY: PinPolicy = {
  minLength: 6,
  maxLength: 127,
  uppercase: 'allowed',
  lowercase: 'allowed',
  digits: 'allowed',
  special: 'allowed',
  refuseSequences: true,
  refuseRepeats: true,
  refuseCommon: true,
};

export const PIN_LENGTH = { least: 4, most: 127 } as const;

export type PinVerdict = { readonly ok: true } | { readonly ok: false; readonly code: string; readonly detail: string };

const KINDS = [
  { rule: 'uppercase', code: 'uppercase', word: 'upper-case letter', test: (c: string) => /\p{Lu}/u.test(c) },
  { rule: 'lowercase', code: 'lowercase', word: 'lower-case letter', test: (c: string) => /\p{Ll}/u.test(c) },
  { rule: 'digits', code: 'digit', word: 'digit', test: (c: string) => /[0-9]/.test(c) },
  { rule: 'special', code: 'special', word: 'special character', test: (c: string) => !/[\p{Lu}\p{Ll}0-9]/u.test(c) },
] as const;

/**
 * The one form of a PIN, whichever keyboard or system composed its characters (Unicode Annex 15, NFC). Every PIN goes
 * through here where it is typed, before it is checked, compared or handed to a card.
 */
export const normalisedPin = (typed: string): string => typed.normalize('NFC');

/** The detail never repeats any part of the PIN. */
export function checkPin(typed: string, policy: PinPolicy): PinVerdict {
  const pin = normalisedPin(typed);
  const characters = [...pin];
  const { minLength, maxLength } = policy;
  if (characters.length < minLength)
    return refuse('too-short', `The PIN is too short: at least ${minLength} characters are needed.`);
  if (characters.length > maxLength)
    return refuse('too-long', `The PIN is too long: at most ${maxLength} characters are taken.`);
  // A control character (a stray tab or line end) could not be typed again at another keyboard.
  if (/\p{Cc}/u.test(pin))
    return refuse('control-character', 'The PIN has a control character; use letters, digits and signs.');
  // What stands for bytes that are no UTF-8 (a terminal of another encoding): every such character would be the same.
  if (/[\ufffd\p{Cs}]/u.test(pin))
    return refuse('unreadable-character', 'A character of the PIN could not be read; is the terminal set to UTF-8?');
  for (const kind of KINDS) {
    const has = characters.some(kind.test);
    if (policy[kind.rule] === 'required' && !has)
      return refuse(`${kind.code}-required`, `The PIN needs at least one ${kind.word}.`);
    if (policy[kind.rule] === 'disallowed' && has)
      return refuse(`${kind.code}-disallowed`, `The PIN may not have a ${kind.word}.`);
  }
  if (policy.refuseRepeats && isRepeat(characters))
    return refuse('repeat', 'The PIN repeats one character or a short pattern; mix it more.');
  if (policy.refuseSequences && isSequence(characters))
    return refuse('sequence', 'The PIN is a plain sequence, such as 123456; choose another.');
  if (policy.refuseCommon && isCommonPin(pin))
    return refuse('common', 'The PIN is one that many people choose, and that a thief tries first; choose another.');
  return { ok: true };
}

/**
 * Why nobody could choose a PIN by this policy, or undefined. Whoever makes a policy asks first: a person in front of a new
 * card can't change it.
 */
export function pinPolicyProblem(policy: PinPolicy): string | undefined {
  const { minLength, maxLength } = policy;
  if (minLength < PIN_LENGTH.least || maxLength > PIN_LENGTH.most)
    return `A PIN has ${PIN_LENGTH.least} to ${PIN_LENGTH.most} characters.`;
  if (minLength > maxLength) return 'minLength is greater than maxLength.';
  const rules = KINDS.map(({ rule }) => policy[rule]);
  if (rules.every((rule) => rule === 'disallowed')) return 'Every kind of character is disallowed.';
  const required = rules.filter((rule) => rule === 'required').length;
  if (required > maxLength) return `${required} kinds of characters are required, and maxLength is ${maxLength}.`;
  return undefined;
}

const refuse = (code: string, detail: string): PinVerdict => ({ ok: false, code: `pin-policy-${code}`, detail });

function isRepeat(characters: readonly string[]): boolean {
  for (let period = 1; period <= Math.min(3, characters.length / 2); period++) {
    if (characters.every((character, i) => i < period || character === characters[i - period])) return true;
  }
  return false;
}

function isSequence(characters: readonly string[]): boolean {
  const codes = characters.map((character) => character.codePointAt(0) ?? 0);
  const step = (codes[1] ?? 0) - (codes[0] ?? 0);
  return Math.abs(step) === 1 && codes.every((code, i) => i === 0 || code - (codes[i - 1] ?? 0) === step);
}
