/**
 * Crockford's base32: 32 characters that can be read over a telephone. Reading forgives case, spaces and hyphens, and
 * takes O for 0, I and L for 1. The alphabet leaves out U, so that no word appears by accident.
 */
export const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The value (0..31) of a character, or undefined when it is not of the alphabet even after forgiving. */
export function characterValue(character: string): number | undefined {
  const upper = character.toUpperCase();
  const meant = upper === 'O' ? '0' : upper === 'I' || upper === 'L' ? '1' : upper;
  const value = meant.length === 1 ? ALPHABET.indexOf(meant) : -1;
  return value < 0 ? undefined : value;
}

/** The number of characters that `byteLength` bytes take, without check characters. */
export function encodedLength(byteLength: number): number {
  return Math.ceil((byteLength * 8) / 5);
}

/** Bytes to values of 5 bits, most significant bit first; the last is filled with zero bits. */
export function toValues(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      values.push((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) values.push((held << (5 - bits)) & 31);
  return values;
}

/** The reverse of {@link toValues}; undefined when the filling bits are not zero, or there are too few values. */
export function fromValues(values: readonly number[], byteLength: number): Uint8Array | undefined {
  if (values.length !== encodedLength(byteLength)) return undefined;
  const bytes = new Uint8Array(byteLength);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const value of values) {
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
    held &= (1 << bits) - 1;
  }
  return held === 0 ? bytes : undefined;
}
