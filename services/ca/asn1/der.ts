/**
 * A writer of DER (X.690) for what the CA itself signs. It knows only the types that RFC 5280, RFC 6960 and RFC 4556
 * need, and gives bytes at once: no tree is built, which is what makes long CRLs affordable.
 * Every function throws RangeError for a value that has no DER form; nothing is ever silently changed to fit.
 */
export type Bytes = Uint8Array;

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  generalString: 0x1b,
} as const;

/** How many bytes {@link writeHeader} writes for a content of `length` bytes. */
export function headerLength(length: number): number {
  if (length < 0x80) return 2;
  if (length < 0x100) return 3;
  if (length < 0x10000) return 4;
  if (length < 0x1000000) return 5;
  if (length < 0x80000000) return 6;
  throw new RangeError('a DER value is under 2 GiB here');
}

/** Writes tag and length at `at` (X.690 8.1.3, the shortest form: 10.1). @returns the offset after them. */
export function writeHeader(target: Buffer, at: number, tag: number, length: number): number {
  target[at] = tag;
  const lengthBytes = headerLength(length) - 2;
  if (lengthBytes === 0) {
    target[at + 1] = length;
    return at + 2;
  }
  target[at + 1] = 0x80 | lengthBytes;
  target.writeUIntBE(length, at + 2, lengthBytes);
  return at + 2 + lengthBytes;
}

export function tlv(tag: number, ...parts: readonly Bytes[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = Buffer.allocUnsafe(headerLength(length) + length);
  let at = writeHeader(out, 0, tag, length);
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const sequence = (...parts: readonly Bytes[]): Buffer => tlv(TAG.sequence, ...parts);
export const octetString = (content: Bytes): Buffer => tlv(TAG.octetString, content);
export const nullValue = (): Buffer => Buffer.from([TAG.null, 0]);
export const boolean = (value: boolean): Buffer => Buffer.from([TAG.boolean, 1, value ? 0xff : 0x00]);

/** SET OF: the encodings in ascending order (X.690 11.6). */
export function setOf(...parts: readonly Bytes[]): Buffer {
  return tlv(TAG.set, ...[...parts].sort((a, b) => Buffer.compare(a, b)));
}

/** A non-negative INTEGER from a number, a bigint or big-endian magnitude bytes, in its shortest form (X.690 8.3.2). */
export function unsignedInteger(value: number | bigint | Bytes): Buffer {
  return tlv(TAG.integer, unsignedContent(value));
}

export function unsignedContent(value: number | bigint | Bytes): Buffer {
  const magnitude = value instanceof Uint8Array ? Buffer.from(value) : magnitudeOf(value);
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const shortest = magnitude.subarray(start);
  const first = shortest[0];
  if (first === undefined) throw new RangeError('an INTEGER has at least one byte');
  // A leading zero keeps the sign bit clear: without it the number would be negative.
  return first >= 0x80 ? Buffer.concat([Buffer.of(0), shortest]) : shortest;
}

function magnitudeOf(value: number | bigint): Buffer {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not an exact integer');
  if (value < 0) throw new RangeError('an INTEGER here is never negative');
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

export function enumerated(value: number): Buffer {
  return tlv(TAG.enumerated, unsignedContent(value));
}

/** A BIT STRING of whole bytes: a key or a signature. */
export const bitString = (content: Bytes): Buffer => tlv(TAG.bitString, Buffer.of(0), content);

/** A BIT STRING of named bits, bit 0 first, without trailing zero bits (X.690 11.2.2). */
export function namedBits(bits: readonly number[]): Buffer {
  if (bits.some((bit) => !Number.isInteger(bit) || bit < 0 || bit > 31)) throw new RangeError('a bit is 0..31');
  if (bits.length === 0) return tlv(TAG.bitString, Buffer.of(0));
  const highest = Math.max(...bits);
  const content = Buffer.alloc(1 + Math.floor(highest / 8) + 1);
  content[0] = 7 - (highest % 8);
  for (const bit of bits) {
    const at = 1 + Math.floor(bit / 8);
    content[at] = (content[at] ?? 0) | (0x80 >> (bit % 8));
  }
  return tlv(TAG.bitString, content);
}

/** Of few identifiers, again and again: each is encoded once. Nobody writes into what is given. */
const IDENTIFIERS = new Map<string, Buffer>();
const MAX_IDENTIFIERS = 256;

export function objectIdentifier(dotted: string): Buffer {
  const known = IDENTIFIERS.get(dotted);
  if (known !== undefined) return known;
  const encoded = encodeIdentifier(dotted);
  if (IDENTIFIERS.size < MAX_IDENTIFIERS) IDENTIFIERS.set(dotted, encoded);
  return encoded;
}

function encodeIdentifier(dotted: string): Buffer {
  if (!/^[0-2](\.(0|[1-9]\d*))+$/.test(dotted)) throw new RangeError('not an object identifier');
  const arcs = dotted.split('.').map(BigInt);
  const [first = 0n, second = 0n, ...rest] = arcs;
  if (first < 2n && second > 39n) throw new RangeError('the second arc is at most 39 under 0 and 1');
  return tlv(TAG.objectIdentifier, Buffer.from([first * 40n + second, ...rest].flatMap(base128)));
}

function base128(arc: bigint): number[] {
  const out = [Number(arc & 0x7fn)];
  for (let left = arc >> 7n; left > 0n; left >>= 7n) out.unshift(Number(left & 0x7fn) | 0x80);
  return out;
}

export function utf8String(text: string): Buffer {
  if (/\p{Cs}/u.test(text)) throw new RangeError('a lone surrogate has no UTF-8 form');
  return tlv(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** GeneralString, IA5String: here both mean ASCII, as RFC 4120 5.2.1 and RFC 5280 4.2.1.6 ask for. */
export const generalString = (text: string): Buffer => tlv(TAG.generalString, ascii(text));
export const ia5String = (text: string): Buffer => tlv(TAG.ia5String, ascii(text));

export function ascii(text: string): Buffer {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) > 0x7f) throw new RangeError('not ASCII');
  }
  return Buffer.from(text, 'latin1');
}

/** [n] EXPLICIT: a constructed wrapper around a whole value. */
export const explicit = (n: number, ...values: readonly Bytes[]): Buffer => tlv(0xa0 | tagNumber(n), ...values);
/** [n] IMPLICIT of a primitive type: takes the content, without the tag it replaces. */
export const implicit = (n: number, content: Bytes): Buffer => tlv(0x80 | tagNumber(n), content);

function tagNumber(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 30) throw new RangeError('a tag number here is 0..30');
  return n;
}

/** Time of RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; seconds, no fraction, Z. */
export function time(date: Date): Buffer {
  const digits = timeDigits(date);
  const year = date.getUTCFullYear();
  if (year < 1950) throw new RangeError('a time before 1950 has no form in RFC 5280');
  if (year < 2050) return tlv(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'));
  return tlv(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

export const generalizedTime = (date: Date): Buffer =>
  tlv(TAG.generalizedTime, Buffer.from(timeDigits(date), 'latin1'));

function timeDigits(date: Date): string {
  const iso = date.toISOString();
  if (!/^\d{4}-/.test(iso)) throw new RangeError('a year here is 0000..9999');
  return `${iso.slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}
