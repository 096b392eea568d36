import { describe, expect, it } from 'vitest';
import { formatHex, parseHexChallenge } from './hex.ts';

const tdes = { blockBytes: 8, maxBytes: 8 };

describe('hex challenges of minidriver cards', () => {
  it.each(['1603 EBDF 1C8A 2E72', '1603ebdf1c8a2e72', '16-03-EB-DF-1C-8A-2E-72', ' 1603 EBDF\n1C8A 2E72 '])(
    'reads %j',
    (text) => {
      const decoded = parseHexChallenge(text, tdes);
      expect(decoded.ok && formatHex(decoded.bytes)).toBe('1603 EBDF 1C8A 2E72');
    },
  );

  it.each([
    ['', '16 hex digits are expected, 0 were given'],
    ['1603 EBDF 1C8A 2E7', '16 hex digits are expected, 15 were given'],
    ['1603 EBDF 1C8A 2E72 00', '16 hex digits are expected, 18 were given'],
    ['1603 EBDG 1C8A 2E72', 'character 8 is no hex digit (0-9, A-F)'],
    ['0'.repeat(100_000), 'at most 16 hex digits are expected'],
  ])('refuses what is not one block', (text, detail) => {
    expect(parseHexChallenge(text, tdes)).toEqual({ ok: false, line: 0, detail });
  });

  it('takes several blocks where the card does', () => {
    expect(parseHexChallenge('0'.repeat(32), { blockBytes: 8, maxBytes: 64 }).ok).toBe(true);
    expect(parseHexChallenge('0'.repeat(24), { blockBytes: 8, maxBytes: 64 }).ok).toBe(false);
  });
});
