/** One value of BER (X.690), its content not looked into. */
export interface Element {
  readonly tag: number;
  /** Views. */
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

export class BerError extends Error {}

/** Deeper than any structure that is read here. */
const MAX_DEPTH = 16;

/**
 * The values of one level. Unlike the reader of DER it takes indefinite lengths (section 8.1.3.6), which servers
 * written over Bouncy Castle send in PKCS #7; to find their end it walks what is inside, to a bounded depth.
 * @throws BerError
 */
export function elements(bytes: Uint8Array, most: number): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (found.length === most) throw new BerError(`more than ${most} values`);
    const { element, end } = elementAt(bytes, at, 0);
    found.push(element);
    at = end;
  }
  return found;
}

function elementAt(bytes: Uint8Array, start: number, depth: number): { element: Element; end: number } {
  if (depth > MAX_DEPTH) throw new BerError('nested too deeply');
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw new BerError('cut off');
  if ((tag & 0x1f) === 0x1f) throw new BerError('a tag number over 30');
  if (first === 0x80) return indefinite(bytes, start, tag, depth);
  let at = start + 2;
  let length = first;
  if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 4) throw new BerError('a length too long');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + i] ?? 0);
    at += count;
  }
  const end = at + length;
  if (end > bytes.length) throw new BerError('cut off');
  return { element: { tag, content: bytes.subarray(at, end), raw: bytes.subarray(start, end) }, end };
}

function indefinite(bytes: Uint8Array, start: number, tag: number, depth: number) {
  if ((tag & 0x20) === 0) throw new BerError('an indefinite length of what has no parts');
  let at = start + 2;
  while (!(bytes[at] === 0 && bytes[at + 1] === 0)) at = elementAt(bytes, at, depth + 1).end;
  const end = at + 2;
  return { element: { tag, content: bytes.subarray(start + 2, at), raw: bytes.subarray(start, end) }, end };
}
