import { checkPin, type PinPolicy } from '../pin/index.ts';

/** No character that is mistaken for another: nobody has to read such a PIN, but somebody may have to one day. */
const CHARACTERS = {
  uppercase: 'ABCDEFGHJKLMNPQRSTUVWXYZ',
  lowercase: 'abcdefghijkmnpqrstuvwxyz',
  digits: '23456789',
  special: '+-*/=!?#%&',
} as const;
const KINDS = ['uppercase', 'lowercase', 'digits', 'special'] as const;
/** 60 bits or so of letters and digits, where the policy has room for them. */
const LENGTH = 12;
/** Of the shortest and strictest policies one in a few fits; of usual ones nearly each. */
const ATTEMPTS = 10_000;

/** A PIN that obeys the policy, each one that does as likely as any other of its length and characters. */
export function randomPin(policy: PinPolicy, randomBytes: (length: number) => Uint8Array): string {
  const alphabet = KINDS.flatMap((kind) => (policy[kind] === 'disallowed' ? [] : [...CHARACTERS[kind]]));
  const length = Math.min(Math.max(LENGTH, policy.minLength), policy.maxLength);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pin = Array.from({ length }, () => pick(alphabet, randomBytes)).join('');
    if (checkPin(pin, policy).ok) return pin;
  }
  throw new Error('the PIN policy has hardly a PIN that obeys it');
}

/** Without bias: a byte beyond the last whole multiple is thrown again. */
function pick(alphabet: readonly string[], randomBytes: (length: number) => Uint8Array): string {
  const fair = 256 - (256 % alphabet.length);
  for (;;) {
    const [byte = 255] = randomBytes(1);
    if (byte < fair) return alphabet[byte % alphabet.length] ?? '';
  }
}
