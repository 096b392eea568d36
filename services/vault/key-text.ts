import { DomainError, Secret } from '@cardwright/protocol';
import type { ImportableAlgorithm } from './operations.ts';

export const KEY_BYTES: Readonly<Record<ImportableAlgorithm, number>> = {
  tdes: 24,
  'aes-128': 16,
  'aes-192': 24,
  'aes-256': 32,
};

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const DEFAULT_KEY = Uint8Array.from({ length: 24 }, (_, at) => (at % 8) + 1);

/**
 * Reads an administrator key as people write it: hex digits, either case, white space anywhere.
 * Works on bytes, so that no string with the key comes to be, which could not be wiped.
 * @param text UTF-8; lent, the caller wipes it. @param defaultAllowed of a card that is taken over: its key may be the
 *   well-known one, because it is changed before anything else.
 * @throws DomainError (unprocessable) `administrator-key-not-hex`, `administrator-key-odd-length`,
 *   `administrator-key-length`, `administrator-key-default`. None shows a digit of what was given.
 */
export function parseKeyText(text: Uint8Array, algorithm: ImportableAlgorithm, defaultAllowed = false): Secret {
  const key = parseHexKey(text, KEY_BYTES[algorithm], KEY_BYTES[algorithm], `a key for ${algorithm}`);
  if (defaultAllowed || !isDefaultKey(key)) return key;
  key.wipe();
  throw refusal(
    'default',
    'This is the well-known default administrator key: a card that has it is managed by nobody; change the key ' +
      'of the card first, then import the new one, or have the card taken over.',
  );
}

/**
 * The same of any key, such as the master of a fleet.
 * @param least bytes, and `most`. @param what for the refusal: "a key for tdes".
 */
export function parseHexKey(text: Uint8Array, least: number, most: number, what = 'such a key'): Secret {
  const wanted = most * 2;
  const right = least === most ? `${wanted}` : `${least * 2} to ${wanted}`;
  const digits = new Uint8Array(wanted);
  let count = 0;
  for (const byte of text) {
    if (SPACE.has(byte)) continue;
    const digit = hexDigit(byte);
    if (digit < 0) {
      digits.fill(0);
      throw refusal('not-hex', `The key must be ${right} hex digits (0-9, A-F); there is another character in it.`);
    }
    if (count < wanted) digits[count] = digit;
    count += 1;
  }
  if (count % 2 === 1 || count < least * 2 || count > wanted) {
    digits.fill(0);
    throw count % 2 === 1 ? oddLength(count, right) : refusal('length', lengthDetail(count, right, what));
  }
  const key = new Uint8Array(count / 2);
  for (let at = 0; at < key.length; at++) {
    key[at] = ((digits[2 * at] ?? 0) << 4) | (digits[2 * at + 1] ?? 0);
  }
  digits.fill(0);
  return Secret.take(key);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

// The vendor's deployment page for virtual smart cards prints the default key with its first digit missing.
function oddLength(count: number, right: string): DomainError {
  const plain = `the key has ${count} hex digits; two make a byte, so their number is even: ${right} are right`;
  if (count !== 47) return refusal('odd-length', plain);
  return refusal(
    'odd-length',
    `${plain}. If you copied the DEFAULT key from the vendor's page: its leading 0 is missing there. The right 48 ` +
      'digits are the eight bytes 01 02 03 04 05 06 07 08 three times over, beginning with 0.',
  );
}

function lengthDetail(count: number, right: string, what: string): string {
  return `the key has ${count} hex digits; ${what} has ${right} (two a byte)`;
}

function refusal(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', `administrator-key-${code}`, detail);
}

/** Parity bits (the lowest of each byte) do not matter to TDES, so a key that differs only in them is the same key. */
export function isDefaultKey(key: Secret): boolean {
  return key.use(
    (bytes) =>
      bytes.length === DEFAULT_KEY.length && bytes.every((byte, at) => byte >> 1 === (DEFAULT_KEY[at] ?? 0) >> 1),
  );
}
