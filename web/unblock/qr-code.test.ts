import { encodeLines, LOCKOUT_RESPONSE_BYTES, RESPONSE_BYTES } from '@cardwright/protocol/challenge';
import jsqr from 'jsqr';
import { describe, expect, it } from 'vitest';
import { qrCode } from './qr-code.ts';

const PIXELS = 4;

/** Drawn as a browser would, and read by a decoder that knows nothing of our encoder. */
function decoded(lines: readonly string[]): string | undefined {
  const { size, path } = qrCode(lines);
  const side = size * PIXELS;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * PIXELS; row < (Number(y) + 1) * PIXELS; row++) {
      for (let column = Number(x) * PIXELS; column < (Number(x) + Number(width)) * PIXELS; column++) {
        pixels.fill(0, (row * side + column) * 4, (row * side + column) * 4 + 3);
      }
    }
  }
  return jsqr(pixels, side, side)?.data;
}

const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

describe('a response as a QR code', () => {
  it.each([RESPONSE_BYTES, LOCKOUT_RESPONSE_BYTES])('is read as the lines of %i bytes', (length) => {
    for (let i = 0; i < 5; i++) {
      const lines = encodeLines(bytes(length));
      expect(decoded(lines)).toBe(lines.join(' '));
    }
  });

  it.each(['1603 EBDF 1C8A 2E72', '1603 EBDF 1C8A 2E72 1603 EBDF 1C8A 2E72'])('is read as %s', (line) => {
    expect(decoded([line])).toBe(line);
  });
});
