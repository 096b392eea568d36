import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { codeHash, makeCode, parseCode, showCode } from './code.ts';

test('a code has three groups of four and reads back to itself', () => {
  for (let i = 0; i < 500; i++) {
    const code = makeCode(randomBytes);
    expect(showCode(code)).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
    expect(parseCode(showCode(code))).toBe(code);
  }
});

test('all 60 bits of the randomness count, and no more', () => {
  const zero = makeCode(() => new Uint8Array(8));
  for (let bit = 0; bit < 64; bit++) {
    const bytes = new Uint8Array(8);
    bytes[bit >> 3] = 0x80 >> (bit & 7);
    expect(makeCode(() => bytes) === zero, `bit ${bit}`).toBe(bit >= 60);
  }
});

test.each(['0123-4567-89ab', 'oi23 4567 89AB', 'Ol23456789aB', ' 0l23.4567.89ab\n'])('%j is forgiven', (typed) => {
  expect(parseCode(typed)).toBe('0123456789AB');
});

test.each(['', '0123-4567-89a', '0123-4567-89abc', '0123-4567-89aU', '0123-4567-89a!', '0'.repeat(10_000)])(
  '%j is no code',
  (typed) => {
    expect(parseCode(typed)).toBeUndefined();
  },
);

test('the hash is of the code, not of how it was typed', () => {
  const hash = (typed: string) => {
    const code = parseCode(typed);
    if (code === undefined) throw new Error('no code');
    return Buffer.from(codeHash(code)).toString('hex');
  };
  expect(hash('o123-4567-89ab')).toBe(hash('0I23 4567 89AB'));
  expect(hash('0123-4567-89ab')).not.toBe(hash('0123-4567-89ac'));
});
