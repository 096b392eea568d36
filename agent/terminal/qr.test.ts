import { randomBytes } from 'node:crypto';
import { CHALLENGE_BYTES, encodeLines, LOCKOUT_CHALLENGE_BYTES, RESPONSE_BYTES } from '@cardwright/protocol/challenge';
import jsqr from 'jsqr';
import { describe, expect, it } from 'vitest';
import { demandRoomForQr, QR_COLUMNS, qrText } from './qr.ts';

const PIXELS = 4;

/** What a camera sees of the terminal, read by a decoder that knows nothing of our encoder. */
function decoded(shown: string, blocks: 'light' | 'dark'): string | undefined {
  const lines = shown.split('\n').map((line) => [...line]);
  const columns = lines[0]?.length ?? 0;
  // A margin of the terminal's own background around it.
  const [width, height] = [(columns + 4) * PIXELS, (lines.length * 2 + 4) * PIXELS];
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor(y / PIXELS) - 2;
      const drawn = lines[Math.floor(row / 2)]?.[Math.floor(x / PIXELS) - 2] ?? ' ';
      const block = drawn === '█' || drawn === (row % 2 === 0 ? '▀' : '▄');
      pixels.fill(block === (blocks === 'light') ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
      pixels[(y * width + x) * 4 + 3] = 255;
    }
  }
  return jsqr.default(pixels, width, height)?.data;
}

describe('a QR code in the terminal', () => {
  it.each([CHALLENGE_BYTES, LOCKOUT_CHALLENGE_BYTES, RESPONSE_BYTES])(
    'is read as the %i bytes it was made of',
    (length) => {
      for (let i = 0; i < 5; i++) {
        const text = encodeLines(new Uint8Array(randomBytes(length))).join(' ');
        const shown = qrText(text);
        expect(decoded(shown, 'light')).toBe(text);
        expect(decoded(shown, 'dark')).toBe(text);
      }
    },
  );

  it('is as wide as is said, at most, and rectangular', () => {
    for (const length of [CHALLENGE_BYTES, RESPONSE_BYTES]) {
      const lines = qrText(encodeLines(new Uint8Array(length).fill(255)).join(' ')).split('\n');
      expect(new Set(lines.map((line) => [...line].length)).size).toBe(1);
      expect([...(lines[0] ?? '')].length).toBeLessThanOrEqual(QR_COLUMNS);
    }
  });

  it('asks for no wider terminal than there always was', () => {
    expect(() => demandRoomForQr(80)).not.toThrow();
    expect(() => demandRoomForQr(QR_COLUMNS)).not.toThrow();
    expect(() => demandRoomForQr(null)).not.toThrow();
    expect(() => demandRoomForQr(QR_COLUMNS - 1)).toThrow(expect.objectContaining({ code: 'terminal-too-narrow' }));
  });
});
