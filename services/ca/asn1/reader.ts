/**
 * A strict reader of DER (X.690) with bounds. It stands in front of every parser of what others send, so that no
 * library meets input that is too long, too deep or has too many parts, and it is what the lint reads our own bytes
 * with: an independent reading, so that a defect of the writer is seen before it is signed.
 */
import { TAG } from './der.ts';

export interface DerBounds {
  readonly maxBytes: number;
  /** Nested constructed values; the outermost value is depth 1. */
  readonly maxDepth: number;
  /** Values in all. */
  readonly maxValues: number;
}

export interface DerValue {
  readonly tag: number;
  /** The content, without tag and length. A view, not a copy. */
  readonly content: Buffer;
  /** The whole value. A view, not a copy. */
  readonly raw: Buffer;
  /** Of a constructed value; empty for a primitive one. */
  readonly children: readonly DerValue[];
}

/** Not DER, or over a bound. `offset` counts bytes from the start of the input. */
export class DerError extends Error {
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset}`);
    this.name = 'DerError';
    this.offset = offset;
  }
}

/** @throws DerError when `input` is not exactly one DER value within `bounds`. */
export function readDer(input: Uint8Array, bounds: DerBounds): DerValue {
  if (input.length > bounds.maxBytes) throw new DerError(`longer than ${bounds.maxBytes} bytes`, bounds.maxBytes);
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const state = { bytes, bounds, values: 0 };
  const value = readValue(state, 0, bytes.length, 1);
  if (value.end !== bytes.length) throw new DerError('bytes after the end', value.end);
  return value;
}

interface State {
  readonly bytes: Buffer;
  readonly bounds: DerBounds;
  values: number;
}

function readValue(state: State, at: number, end: number, depth: number): Value {
  const { bytes, bounds } = state;
  if (depth > bounds.maxDepth) throw new DerError(`nested deeper than ${bounds.maxDepth}`, at);
  state.values += 1;
  if (state.values > bounds.maxValues) throw new DerError(`more than ${bounds.maxValues} values`, at);
  const tag = bytes[at];
  if (tag === undefined || at >= end) throw new DerError('cut off', at);
  // Multi-byte tags occur in nothing that comes here.
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag number over 30', at);
  const constructed = (tag & 0x20) !== 0;
  const universal = (tag & 0xc0) === 0;
  const holdsValues = (tag | 0x20) === TAG.sequence || (tag | 0x20) === TAG.set;
  if (universal && constructed !== holdsValues) {
    throw new DerError('a form (primitive or constructed) that DER forbids for this type', at);
  }
  const { length, start } = readLength(bytes, at + 1, end);
  const stop = start + length;
  if (stop > end) throw new DerError('a length beyond what holds it', at);
  let children = NONE;
  if (constructed && start < stop) {
    const values: Value[] = [];
    for (let next = start; next < stop; ) {
      const child = readValue(state, next, stop, depth + 1);
      values.push(child);
      next = child.end;
    }
    children = values;
  }
  if (universal) checkPrimitive(bytes, tag, at, start, length);
  return new Value(bytes, tag, at, start, stop, children);
}

const NONE: readonly DerValue[] = [];

/** Its views are made when they are asked for: of most values nobody asks. */
class Value implements DerValue {
  readonly tag: number;
  readonly children: readonly DerValue[];
  readonly end: number;
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #start: number;

  constructor(bytes: Buffer, tag: number, at: number, start: number, end: number, children: readonly DerValue[]) {
    this.tag = tag;
    this.children = children;
    this.end = end;
    this.#bytes = bytes;
    this.#at = at;
    this.#start = start;
  }

  get content(): Buffer {
    return this.#bytes.subarray(this.#start, this.end);
  }

  get raw(): Buffer {
    return this.#bytes.subarray(this.#at, this.end);
  }
}

function readLength(bytes: Buffer, at: number, end: number): { length: number; start: number } {
  const first = bytes[at];
  if (first === undefined || at >= end) throw new DerError('cut off', at);
  if (first < 0x80) return { length: first, start: at + 1 };
  if (first === 0x80) throw new DerError('an indefinite length, which DER forbids', at);
  const count = first & 0x7f;
  if (count > 4 || at + 1 + count > end) throw new DerError('a length beyond what holds it', at);
  const length = bytes.readUIntBE(at + 1, count);
  if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new DerError('a length not in its shortest form', at);
  return { length, start: at + 1 + count };
}

function checkPrimitive(bytes: Buffer, tag: number, at: number, start: number, length: number): void {
  const [first, second] = [length > 0 ? bytes[start] : undefined, length > 1 ? bytes[start + 1] : undefined];
  if (tag === TAG.boolean && (length !== 1 || (first !== 0 && first !== 0xff))) {
    throw new DerError('a BOOLEAN that is not 00 or FF', at);
  }
  if (tag === TAG.integer || tag === TAG.enumerated) {
    if (first === undefined) throw new DerError('an empty INTEGER', at);
    const wasteful = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    if (wasteful) throw new DerError('an INTEGER not in its shortest form', at);
  }
  if (tag === TAG.null && length !== 0) throw new DerError('a NULL with content', at);
  if (tag === TAG.bitString && (first === undefined || first > 7 || (first > 0 && length === 1))) {
    throw new DerError('a BIT STRING whose unused bits make no sense', at);
  }
  if (tag === TAG.objectIdentifier && (length === 0 || (bytes[start + length - 1] ?? 0) >= 0x80)) {
    throw new DerError('an OBJECT IDENTIFIER that is cut off', at);
  }
}

/** What was read before, by its bytes: certificates have few identifiers, and each of them often. */
const DOTTED = new Map<string, string>();
const MAX_DOTTED = 1024;

/** The dotted form. @throws DerError when `value` is no OBJECT IDENTIFIER of reasonable length. */
export function dottedOid(value: DerValue): string {
  if (value.tag !== TAG.objectIdentifier || value.content.length > 64) throw new DerError('no object identifier', 0);
  const bytes = value.content.toString('latin1');
  const known = DOTTED.get(bytes);
  if (known !== undefined) return known;
  const dotted = decodeIdentifier(value);
  if (DOTTED.size < MAX_DOTTED) DOTTED.set(bytes, dotted);
  return dotted;
}

function decodeIdentifier(value: DerValue): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of value.content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [head = 0n, ...rest] = arcs;
  const top = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [top, head - top * 40n, ...rest].join('.');
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** UTF8String as text. @throws DerError for another type or invalid UTF-8. */
export function utf8Text(value: DerValue): string {
  if (value.tag !== TAG.utf8String) throw new DerError('no UTF8String', 0);
  try {
    return decoder.decode(value.content);
  } catch {
    throw new DerError('invalid UTF-8', 0);
  }
}

/** UTCTime or GeneralizedTime in the one form RFC 5280 4.1.2.5 allows for its year. @throws DerError otherwise. */
export function rfc5280Time(value: DerValue): Date {
  const text = value.content.toString('latin1');
  const utc = value.tag === TAG.utcTime;
  if (!(utc || value.tag === TAG.generalizedTime) || !(utc ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) {
    throw new DerError('no time of RFC 5280', 0);
  }
  const digits = utc ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text : text;
  if (!utc && Number(digits.slice(0, 4)) < 2050) throw new DerError('a GeneralizedTime before 2050', 0);
  const number = (from: number, to: number) => Number(digits.slice(from, to));
  const [month, day] = [number(4, 6), number(6, 8)];
  const [hour, minute, second] = [number(8, 10), number(10, 12), number(12, 14)];
  const date = new Date(Date.UTC(number(0, 4), month - 1, day, hour, minute, second));
  // What overflows is a day or hour that is none; 24:00 and leap seconds have no place in RFC 5280 either.
  const none = date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || date.getUTCHours() !== hour;
  if (none || minute > 59 || second > 59) throw new DerError('a day or hour that is none', 0);
  return date;
}
