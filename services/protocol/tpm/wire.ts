import { DomainError } from '../errors.ts';

export type Bytes = Uint8Array;

/** No TPM structure is longer: a size field can't exceed 16 bits, and responses are at most 4096 bytes. */
export const MAX_STRUCTURE_BYTES = 4096;

export function concat(...parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function u8(value: number): Bytes {
  return Uint8Array.of(value & 0xff);
}

export function u16(value: number): Bytes {
  return Uint8Array.of((value >>> 8) & 0xff, value & 0xff);
}

export function u32(value: number): Bytes {
  return Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** A TPM2B: 16-bit size and the bytes. */
export function sized(bytes: Bytes): Bytes {
  if (bytes.length > MAX_STRUCTURE_BYTES) {
    throw new DomainError(
      'invalid',
      'tpm-structure-too-long',
      `A TPM structure has at most ${MAX_STRUCTURE_BYTES} bytes, not ${bytes.length}.`,
    );
  }
  return concat(u16(bytes.length), bytes);
}

/** Gathers a structure; big-endian throughout, as the TPM has it (Part 1, section 4.2). */
export class Writer {
  readonly #parts: Bytes[] = [];

  u8(value: number): this {
    this.#parts.push(u8(value));
    return this;
  }

  u16(value: number): this {
    this.#parts.push(u16(value));
    return this;
  }

  u32(value: number): this {
    this.#parts.push(u32(value));
    return this;
  }

  bytes(bytes: Bytes): this {
    this.#parts.push(bytes);
    return this;
  }

  sized(bytes: Bytes): this {
    this.#parts.push(sized(bytes));
    return this;
  }

  done(): Bytes {
    return concat(...this.#parts);
  }
}

/**
 * Reads what somebody else wrote. Every read is checked against what is there and against the caller's own bound; a
 * violation is a DomainError `code` (kind `unprocessable`) that says where, never a RangeError. Slices are copies.
 */
export class Reader {
  readonly #bytes: Bytes;
  readonly #code: string;
  #at = 0;

  constructor(bytes: Bytes, code = 'tpm-structure-malformed', maxBytes = MAX_STRUCTURE_BYTES) {
    this.#bytes = bytes;
    this.#code = code;
    if (bytes.length > maxBytes) this.fail(`${bytes.length} bytes where at most ${maxBytes} are allowed`);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(what: string): number {
    return this.#number(1, what);
  }

  u16(what: string): number {
    return this.#number(2, what);
  }

  u32(what: string): number {
    return this.#number(4, what);
  }

  bytes(count: number, what: string): Bytes {
    this.#need(count, what);
    const out = new Uint8Array(this.#bytes.subarray(this.#at, this.#at + count)); // slice() of a Buffer would not copy
    this.#at += count;
    return out;
  }

  /** A TPM2B of at most `max` bytes. */
  sized(max: number, what: string): Bytes {
    const count = this.u16(`size of ${what}`);
    if (count > max) this.fail(`${what} has ${count} bytes, at most ${max} are allowed`);
    return this.bytes(count, what);
  }

  rest(): Bytes {
    return this.bytes(this.left, 'rest');
  }

  end(): void {
    if (this.left > 0) this.fail(`${this.left} bytes too many`);
  }

  fail(detail: string): never {
    throw new DomainError('unprocessable', this.#code, `At byte ${this.#at}: ${detail}.`);
  }

  #number(count: number, what: string): number {
    this.#need(count, what);
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 256 + (this.#bytes[this.#at + i] ?? 0);
    this.#at += count;
    return value;
  }

  #need(count: number, what: string): void {
    if (count > this.left) this.fail(`${what} needs ${count} bytes, ${this.left} are left`);
  }
}
