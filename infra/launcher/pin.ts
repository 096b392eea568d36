import { randomInt } from 'node:crypto';

const PIN_DIGITS = 8;

/** A random PIN of eight digits that no rule against sequences and repetitions refuses: none is near or equal to the three before. */
export function makePin(): string {
  const digits = [randomInt(10)];
  while (digits.length < PIN_DIGITS) {
    const next = randomInt(10);
    const step = Math.abs(next - (digits.at(-1) ?? 0));
    if (step >= 2 && step <= 8 && !digits.slice(-3).includes(next)) digits.push(next);
  }
  return digits.join('');
}
