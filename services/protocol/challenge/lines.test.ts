import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ALPHABET } from './crockford.ts';
import { decodeLines, encodeLines } from './lines.ts';
import { CHALLENGE_BYTES, RESPONSE_BYTES } from './messages.ts';

const bytes = () => new Uint8Array(randomBytes(CHALLENGE_BYTES));

describe('lines that a person reads to another', () => {
  it.each([1, 11, 12, CHALLENGE_BYTES, RESPONSE_BYTES, 200])('come back as the %i bytes they were', (length) => {
    for (let i = 0; i < 50; i++) {
      const original = new Uint8Array(randomBytes(length));
      expect(decodeLines(encodeLines(original).join('\n'), length)).toEqual({ ok: true, bytes: original });
    }
  });

  it('are read in any case and spacing, with O for 0 and I or L for 1, line ends lost', () => {
    const original = bytes();
    const text = encodeLines(original)
      .join(' ')
      .toLowerCase()
      .replaceAll('0', 'o')
      .replaceAll('1', 'l')
      .replaceAll(' ', '-');
    expect(decodeLines(text, CHALLENGE_BYTES)).toEqual({ ok: true, bytes: original });
  });

  it('show every single wrong character, at its line', () => {
    const lines = encodeLines(bytes()).map((line) => line.replaceAll(' ', ''));
    lines.forEach((line, index) => {
      [...line].forEach((character, position) => {
        for (const other of ALPHABET) {
          if (other === character) continue;
          const spoilt = lines.with(index, line.slice(0, position) + other + line.slice(position + 1));
          expect(decodeLines(spoilt.join('\n'), CHALLENGE_BYTES)).toMatchObject({ ok: false, line: index + 1 });
        }
      });
    });
  });

  it('show every swap of neighbours that changes the line, and swapped lines', () => {
    const lines = encodeLines(bytes()).map((line) => line.replaceAll(' ', ''));
    const first = lines[0] as string;
    for (let i = 0; i + 1 < first.length; i++) {
      if (first[i] === first[i + 1]) continue;
      const swapped = first.slice(0, i) + first[i + 1] + first[i] + first.slice(i + 2);
      expect(decodeLines(lines.with(0, swapped).join('\n'), CHALLENGE_BYTES)).toMatchObject({ ok: false, line: 1 });
    }
    const [a, b, c] = lines as [string, string, string];
    expect(decodeLines([b, a, c].join('\n'), CHALLENGE_BYTES)).toMatchObject({ ok: false, line: 1 });
  });

  it('say what length was expected, and never throw', () => {
    const text = encodeLines(bytes()).join('\n');
    expect(decodeLines(text.slice(0, -6), CHALLENGE_BYTES)).toMatchObject({ ok: false, line: 3 });
    expect(decodeLines(`${text}00`, CHALLENGE_BYTES)).toMatchObject({ ok: false, line: 3 });
    expect(decodeLines('', CHALLENGE_BYTES)).toMatchObject({ ok: false, line: 0 });
    expect(decodeLines('x'.repeat(1_000_000), CHALLENGE_BYTES)).toMatchObject({ ok: false, line: 0 });
    for (let i = 0; i < 1000; i++) {
      expect(decodeLines(randomBytes(80).toString('latin1'), CHALLENGE_BYTES).ok).toBe(false);
    }
  });
});
