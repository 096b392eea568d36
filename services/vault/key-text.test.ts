import { DomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { parseKeyText } from './key-text.ts';
import type { ImportableAlgorithm } from './operations.ts';

const KEY = 'a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60719';
const DEFAULT = '010203040506070801020304050607080102030405060708';

function parse(text: string, algorithm: ImportableAlgorithm = 'tdes'): string {
  return parseKeyText(new TextEncoder().encode(text), algorithm).use((key) => Buffer.from(key).toString('hex'));
}

function refusal(text: string, algorithm: ImportableAlgorithm = 'tdes'): DomainError {
  try {
    parse(text, algorithm);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the text of an administrator key', () => {
  it('is hex in either case, with white space where people put it', () => {
    expect(parse(KEY)).toBe(KEY);
    expect(parse(KEY.toUpperCase())).toBe(KEY);
    expect(parse(` ${KEY.replace(/(.{4})/g, '$1 ')}\r\n`)).toBe(KEY);
    expect(parse('00112233445566778899aabbccddeeff', 'aes-128')).toBe('00112233445566778899aabbccddeeff');
    expect(parse('5a'.repeat(32), 'aes-256')).toBe('5a'.repeat(32));
  });

  it.each([47, 1, 49, 45])('with the odd number of %i digits is administrator-key-odd-length', (count) => {
    const error = refusal('7'.repeat(count));
    expect(`${error.kind} ${error.code}`).toBe('unprocessable administrator-key-odd-length');
    expect(error.detail).toContain(`${count} hex digits`);
    expect(error.detail).toContain('48 are right');
  });

  it("of 47 digits, as the vendor's page prints the default key, says which digit is missing and what is right", () => {
    const printed = DEFAULT.slice(1);
    const error = refusal(printed);
    expect(error.code).toBe('administrator-key-odd-length');
    expect(error.detail).toMatch(/leading 0 is missing/);
    expect(error.detail).toMatch(/48 digits are the eight bytes 01 02 03 04 05 06 07 08 three times/);
    expect(error.detail.replaceAll(' ', '')).not.toContain(printed.slice(0, 20));
    expect(refusal('7'.repeat(45)).detail).not.toMatch(/vendor/);
  });

  it.each([
    [0, 'tdes', 48],
    [46, 'tdes', 48],
    [50, 'tdes', 48],
    [48, 'aes-128', 32],
    [32, 'aes-192', 48],
    [48, 'aes-256', 64],
  ] as const)('with %i digits for %s is administrator-key-length', (count, algorithm, right) => {
    const error = refusal('7'.repeat(count), algorithm);
    expect(error.code).toBe('administrator-key-length');
    expect(error.detail).toContain(`${count} hex digits`);
    expect(error.detail).toContain(`has ${right}`);
  });

  it.each([`0x${KEY.slice(2)}`, `${KEY.slice(1)}g`, `${KEY.slice(1)}é`, KEY.replace('a', '-'), `${KEY}\0`])(
    'with another character (%j) is administrator-key-not-hex',
    (text) => {
      expect(refusal(text).code).toBe('administrator-key-not-hex');
    },
  );

  it('that is the well-known default is refused, also with other parity bits', () => {
    expect(refusal(DEFAULT).code).toBe('administrator-key-default');
    expect(refusal(DEFAULT.replaceAll('08', '09').replaceAll('02', '03')).code).toBe('administrator-key-default');
    expect(refusal(DEFAULT, 'aes-192').code).toBe('administrator-key-default');
  });

  it('is in no refusal, not even a part of it', () => {
    for (const text of [KEY.slice(1), KEY.slice(2), `${KEY.slice(1)}x`, `${KEY}00`]) {
      const error = refusal(text);
      const shown = `${error.message} ${error.stack} ${JSON.stringify(error)}`.toLowerCase();
      for (let at = 0; at + 6 <= text.length; at++) expect(shown).not.toContain(text.slice(at, at + 6));
    }
  });
});
