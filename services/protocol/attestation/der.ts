import { refused } from './refusal.ts';

type Bytes = Uint8Array;

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export interface Value {
  readonly tag: number;
  /** Without tag and length. A view. */
  readonly content: Bytes;
  /** With them. A view. */
  readonly raw: Bytes;
}

/**
 * Reads the values of one level of DER (X.690) one after the other, without going into them: who wants what is inside
 * reads that with another. So depth is what the caller writes, and time is linear. Lengths may be longer than DER's
 * shortest form, since makers' certificates are not all strict; a signature covers the bytes as they are.
 */
export class DerReader {
  readonly #bytes: Bytes;
  readonly #code: string;
  #at = 0;

  constructor(bytes: Bytes, code: string) {
    this.#bytes = bytes;
    this.#code = code;
  }

  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** The next value; of the tag `tag` if one is given. */
  next(what: string, tag?: number): Value {
    const start = this.#at;
    const found = this.#bytes[start];
    if (found === undefined) this.fail(`${what} is missing`);
    if ((found & 0x1f) === 0x1f) this.fail(`${what} has a tag number over 30`);
    if (tag !== undefined && found !== tag) this.fail(`${what} has the tag ${found}, not ${tag}`);
    const length = this.#length(start + 1, what);
    const contentAt = this.#at;
    this.#at += length;
    return {
      tag: found,
      content: this.#bytes.subarray(contentAt, this.#at),
      raw: this.#bytes.subarray(start, this.#at),
    };
  }

  /** The next value if it has that tag, else undefined. */
  optional(what: string, tag: number): Value | undefined {
    return this.#bytes[this.#at] === tag ? this.next(what, tag) : undefined;
  }

  /** What is inside the next value, which has that tag. */
  inside(what: string, tag: number = TAG.sequence): DerReader {
    return new DerReader(this.next(what, tag).content, this.#code);
  }

  end(what: string): void {
    if (this.more) this.fail(`${what} goes on after its end`);
  }

  fail(detail: string): never {
    throw refused(this.#code, `At byte ${this.#at}: ${detail}.`);
  }

  #length(at: number, what: string): number {
    const first = this.#bytes[at];
    if (first === undefined) this.fail(`${what} is cut off`);
    let length = first;
    let next = at + 1;
    if (first >= 0x80) {
      const count = first & 0x7f;
      if (count === 0 || count > 4) this.fail(`the length of ${what} is indefinite or too long`);
      length = 0;
      for (const byte of this.#bytes.subarray(next, next + count)) length = length * 256 + byte;
      next += count;
    }
    if (next + length > this.#bytes.length) this.fail(`${what} is cut off`);
    this.#at = next;
    return length;
  }
}

/** The dotted form of an OBJECT IDENTIFIER's content of at most 32 bytes; empty for what is none. */
export function dotted(content: Bytes): string {
  if (content.length === 0 || content.length > 32 || ((content.at(-1) ?? 0x80) & 0x80) !== 0) return '';
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
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

/** UTCTime or GeneralizedTime in UTC with seconds (RFC 5280, section 4.1.2.5); undefined for what is no such time. */
export function timeOf({ tag, content }: Value): Date | undefined {
  const text = Buffer.from(content).toString('latin1');
  const utc = tag === TAG.utcTime;
  if (!utc && tag !== TAG.generalizedTime) return undefined;
  if (!(utc ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) return undefined;
  const digits = utc ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text : text;
  const date = new Date(digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isNaN(date.getTime()) ? undefined : date;
}
