import type { Decoded } from './lines.ts';

/**
 * Challenges of minidriver cards, as Windows' unblock screen shows them: groups of four hex digits
 * (`1603 EBDF 1C8A 2E72`). Any spacing, hyphens and case are taken.
 *
 * @param blockBytes 8 for TDES, 16 for AES: the length must be a multiple of it.
 */
export function parseHexChallenge(
  text: string,
  { blockBytes, maxBytes }: { readonly blockBytes: number; readonly maxBytes: number },
): Decoded {
  if (text.length > maxBytes * 8 + 64)
    return { ok: false, line: 0, detail: `at most ${maxBytes * 2} hex digits are expected` };
  const digits = text.replace(/[\s:-]/g, '');
  const wrong = /[^0-9a-f]/i.exec(digits);
  if (wrong !== null) {
    return { ok: false, line: 0, detail: `character ${wrong.index + 1} is no hex digit (0-9, A-F)` };
  }
  const expected =
    maxBytes === blockBytes ? `${blockBytes * 2}` : `a multiple of ${blockBytes * 2} (at most ${maxBytes * 2})`;
  if (digits.length === 0 || digits.length % (blockBytes * 2) !== 0 || digits.length > maxBytes * 2) {
    return { ok: false, line: 0, detail: `${expected} hex digits are expected, ${digits.length} were given` };
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16);
  return { ok: true, bytes };
}

/** `1603 EBDF 1C8A 2E72` */
export function formatHex(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return (
    digits
      .toUpperCase()
      .match(/.{1,4}/g)
      ?.join(' ') ?? ''
  );
}
