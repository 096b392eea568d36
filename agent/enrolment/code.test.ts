import { expect, it } from 'vitest';
import { codeDigest, normaliseCode } from './code.ts';

it.each(['7K3M-92QF-XD4T', '7k3m92qfxd4t', ' 7K3M 92QF XD4T ', '7K3M-92QF-XD4T\n'])('reads %j', (typed) => {
  expect(normaliseCode(typed)).toBe('7K3M-92QF-XD4T');
});

it('takes O for 0, I and L for 1', () => {
  expect(normaliseCode('oiLO-0000-0000')).toBe('0110-0000-0000');
});

it.each(['', '---', '7K3M_92QF', 'ÜÜÜÜ-ÜÜÜÜ-ÜÜÜÜ', 'A'.repeat(65)])('refuses %j without repeating it', (typed) => {
  expect(() => normaliseCode(typed)).toThrow(expect.objectContaining({ code: 'enrolment-code-malformed' }));
});

it('does not keep the code in what recognises it', () => {
  expect(codeDigest('7K3M-92QF-XD4T')).toMatch(/^[0-9a-f]{64}$/);
  expect(codeDigest('7K3M-92QF-XD4T')).not.toBe(codeDigest('7K3M-92QF-XD4V'));
});
