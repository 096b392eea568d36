import { ALPHABET, characterValue, encodedLength, fromValues, toValues } from './crockford.ts';

/**
 * Challenges and responses of TPM cards as a person reads them to another: lines of up to 19 characters and one check
 * character, shown in groups of four. The check character finds every single wrong character, every swap of two
 * neighbours, and a line that stands in another line's place, so that a slip is found at its line and before anything
 * is asked of the card.
 */
export const DATA_PER_LINE = 19;

export type Decoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** `line` counts from 1; 0 means the text as a whole (its length). */
  | { readonly ok: false; readonly line: number; readonly detail: string };

/** Powers of a primitive element of GF(32), polynomial x^5 + x^2 + 1. */
const POWERS: readonly number[] = (() => {
  const powers = [1];
  for (let i = 1; i < 31; i++) {
    const doubled = (powers[i - 1] as number) << 1;
    powers.push(doubled & 32 ? doubled ^ 0b100101 : doubled);
  }
  return powers;
})();
const LOGARITHM = new Map(POWERS.map((power, exponent) => [power, exponent]));

function multiply(a: number, b: number): number {
  const x = LOGARITHM.get(a);
  const y = LOGARITHM.get(b);
  return x === undefined || y === undefined ? 0 : (POWERS[(x + y) % 31] as number);
}

/** Each position and the line's own number has a weight of its own, none zero: one error can't cancel out. */
function checkValue(values: readonly number[], lineIndex: number): number {
  let sum = multiply((lineIndex + 1) & 31, POWERS[DATA_PER_LINE + 1] as number);
  values.forEach((value, position) => {
    sum ^= multiply(value, POWERS[position + 1] as number);
  });
  return sum;
}

const inGroups = (line: string) => line.match(/.{1,4}/g)?.join(' ') ?? '';

/** `XXXX XXXX XXXX XXXX XXXX` a line. */
export function encodeLines(bytes: Uint8Array): string[] {
  const values = toValues(bytes);
  const lines: string[] = [];
  for (let start = 0; start < values.length; start += DATA_PER_LINE) {
    const data = values.slice(start, start + DATA_PER_LINE);
    const characters = [...data, checkValue(data, lines.length)].map((value) => ALPHABET[value]);
    lines.push(inGroups(characters.join('')));
  }
  return lines;
}

/** How many characters (check character included) each line of a text for `byteLength` bytes has. */
export function lineLengths(byteLength: number): number[] {
  const lengths: number[] = [];
  for (let left = encodedLength(byteLength); left > 0; left -= DATA_PER_LINE) {
    lengths.push(Math.min(left, DATA_PER_LINE) + 1);
  }
  return lengths;
}

/** Checks one line alone, as it is typed. `lineIndex` counts from 0. Returns its data values. */
export function decodeLine(
  text: string,
  lineIndex: number,
  length: number,
): { readonly ok: true; readonly values: number[] } | { readonly ok: false; readonly detail: string } {
  const characters = [...text.replace(/[\s-]/g, '')];
  if (characters.length !== length) {
    return { ok: false, detail: `${length} characters are expected, ${characters.length} were given` };
  }
  const values: number[] = [];
  for (const [position, character] of characters.entries()) {
    const value = characterValue(character);
    if (value === undefined) {
      return { ok: false, detail: `character ${position + 1} is none of ${ALPHABET}` };
    }
    values.push(value);
  }
  const check = values.pop();
  if (check !== checkValue(values, lineIndex)) {
    return {
      ok: false,
      detail: 'the check character does not fit: a character is wrong, or the line is not in its place',
    };
  }
  return { ok: true, values };
}

/**
 * Reads what {@link encodeLines} wrote, typed by a person: any case and spacing, line breaks kept or lost. Never throws;
 * takes at most a few thousand characters.
 */
export function decodeLines(text: string, expectedBytes: number): Decoded {
  const lengths = lineLengths(expectedBytes);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (text.length > total * 4 + 64)
    return { ok: false, line: 0, detail: `the text is too long: ${total} characters are expected` };
  const values: number[] = [];
  for (const [index, line] of intoLines(text, lengths).entries()) {
    const decoded = decodeLine(line, index, lengths[index] ?? 0);
    if (!decoded.ok) return { ok: false, line: index + 1, detail: decoded.detail };
    values.push(...decoded.values);
  }
  const bytes = fromValues(values, expectedBytes);
  if (bytes === undefined) {
    return { ok: false, line: 0, detail: `${lengths.length} lines with ${total} characters in all are expected` };
  }
  return { ok: true, bytes };
}

/** Keeps the person's own lines when there are as many as expected; otherwise cuts the text where lines should end. */
function intoLines(text: string, lengths: readonly number[]): string[] {
  const own = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  if (own.length === lengths.length) return own;
  const joined = text.replace(/[\s-]/g, '');
  const lines: string[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at >= joined.length) break;
    lines.push(joined.slice(at, at + length));
    at += length;
  }
  // What is left over belongs to the last line, whose length is then refused.
  if (at < joined.length) lines[lines.length - 1] += joined.slice(at);
  return lines;
}
