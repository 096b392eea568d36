import { malformed } from './apdu.ts';
import type { Bytes } from './port.ts';

/** BER-TLV data objects (ISO/IEC 7816-4 section 5.2.2): tags of one or two bytes, definite lengths up to 65535. */
export interface DataObject {
  readonly tag: number;
  readonly value: Bytes;
}

export function dataObject(tag: number, ...contents: readonly Bytes[]): Bytes {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  if (length > 0xffff || tag > 0xffff) throw new RangeError('larger than this writer goes');
  const head = tag > 0xff ? [tag >>> 8, tag & 0xff] : [tag];
  if (length < 0x80) head.push(length);
  else if (length < 0x100) head.push(0x81, length);
  else head.push(0x82, length >>> 8, length & 0xff);
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of contents) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** All the data objects one after the other. Throws `card-answer-malformed`. */
export function dataObjects(bytes: Bytes): readonly DataObject[] {
  const found: DataObject[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = readTag(bytes, at);
    const length = readLength(bytes, at + tag.size);
    const start = at + tag.size + length.size;
    if (start + length.value > bytes.length) throw malformed(`a data object of ${length.value} bytes is cut short`);
    found.push({ tag: tag.value, value: new Uint8Array(bytes.subarray(start, start + length.value)) });
    at = start + length.value;
  }
  return found;
}

/** The value at that path of tags, or undefined. */
export function valueAt(bytes: Bytes, ...path: readonly number[]): Bytes | undefined {
  let value: Bytes | undefined = bytes;
  for (const tag of path) {
    if (value === undefined) return undefined;
    value = dataObjects(value).find((one) => one.tag === tag)?.value;
  }
  return value;
}

interface Read {
  readonly value: number;
  readonly size: number;
}

function readTag(bytes: Bytes, at: number): Read {
  const first = byteAt(bytes, at);
  if ((first & 0x1f) !== 0x1f) return { value: first, size: 1 };
  const second = byteAt(bytes, at + 1);
  if ((second & 0x80) !== 0) throw malformed('a tag has more than two bytes');
  return { value: first * 256 + second, size: 2 };
}

function readLength(bytes: Bytes, at: number): Read {
  const first = byteAt(bytes, at);
  if (first < 0x80) return { value: first, size: 1 };
  if (first === 0x81) return { value: byteAt(bytes, at + 1), size: 2 };
  if (first === 0x82) return { value: byteAt(bytes, at + 1) * 256 + byteAt(bytes, at + 2), size: 3 };
  throw malformed('a length is neither definite nor below 65536');
}

function byteAt(bytes: Bytes, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw malformed('a data object is cut short');
  return byte;
}
