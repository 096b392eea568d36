import type { DomainError } from '@cardwright/protocol';

/**
 * Reads a value of unknown origin (a server's answer, the store's file) into a typed one, or throws a
 * {@link ShapeError} that names the place by an RFC 6901 pointer and never repeats the value. Everything is bounded.
 */
export type Shape<T> = (value: unknown, at: string) => T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;

export class ShapeError extends Error {
  readonly at: string;
  readonly expected: string;

  constructor(at: string, expected: string) {
    super(`${at === '' ? 'the document' : at} must be ${expected}`);
    this.name = 'ShapeError';
    this.at = at;
    this.expected = expected;
  }
}

// Control characters (C0, DEL, C1) and bidirectional overrides: what a hostile server could use to repaint a terminal.
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/** Printable text of one line. */
export function text(maxLength: number, pattern?: RegExp): Shape<string> {
  return (value, at) => {
    if (typeof value !== 'string' || value.length > maxLength) {
      throw new ShapeError(at, `text of at most ${maxLength} characters`);
    }
    if (UNPRINTABLE.test(value)) throw new ShapeError(at, 'text without control characters');
    if (pattern !== undefined && !pattern.test(value)) throw new ShapeError(at, `text that matches ${pattern.source}`);
    return value;
  };
}

export function integer(min: number, max: number): Shape<number> {
  return (value, at) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw new ShapeError(at, `a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

export const boolean: Shape<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw new ShapeError(at, 'true or false');
  return value;
};

export function oneOf<const V extends readonly string[]>(...values: V): Shape<V[number]> {
  return (value, at) => {
    if (typeof value !== 'string' || !values.includes(value)) throw new ShapeError(at, `one of ${values.join(', ')}`);
    return value;
  };
}

/** Canonical standard base64 (RFC 4648 section 4), kept as text; `maxBytes` counts what it decodes to. */
export function base64(maxBytes: number): Shape<string> {
  return (value, at) => {
    const ok =
      typeof value === 'string' &&
      value.length <= Math.ceil(maxBytes / 3) * 4 &&
      Buffer.from(value, 'base64').toString('base64') === value;
    if (!ok) throw new ShapeError(at, `base64 of at most ${maxBytes} bytes`);
    return value as string;
  };
}

/** Lower-case hexadecimal of whole bytes, kept as text. */
export function hex(maxBytes: number): Shape<string> {
  return (value, at) => {
    if (typeof value !== 'string' || value.length > maxBytes * 2 || !/^([0-9a-f]{2})+$/.test(value)) {
      throw new ShapeError(at, `lower-case hexadecimal of at most ${maxBytes} bytes`);
    }
    return value;
  };
}

/** An RFC 3339 time in UTC. */
export const time: Shape<string> = (value, at) => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value)) {
    throw new ShapeError(at, 'an RFC 3339 time in UTC');
  }
  if (Number.isNaN(Date.parse(value))) throw new ShapeError(at, 'an RFC 3339 time in UTC');
  return value;
};

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => (value === null ? null : shape(value, at));
}

/** A field that may be absent, or null, which reads as null. */
export function optional<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => (value === undefined || value === null ? null : shape(value, at));
}

export function list<T>(shape: Shape<T>, maxCount: number): Shape<T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length > maxCount) throw new ShapeError(at, `a list of at most ${maxCount}`);
    return value.map((item, index) => shape(item, `${at}/${index}`));
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type FieldsOf<F extends Fields> = { [K in keyof F]: Shaped<F[K]> };

/** An object in which a field that we don't know is refused: for documents of our own. */
export function closed<F extends Fields>(fields: F): Shape<FieldsOf<F>> {
  return record(fields, true);
}

/** An object in which a field that we don't know is ignored: the API is additive, so a newer server may say more. */
export function open<F extends Fields>(fields: F): Shape<FieldsOf<F>> {
  return record(fields, false);
}

function record<F extends Fields>(fields: F, refuseUnknown: boolean): Shape<FieldsOf<F>> {
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ShapeError(at, 'an object');
    if (refuseUnknown) {
      for (const key of Object.keys(value)) {
        if (!Object.hasOwn(fields, key)) throw new ShapeError(at, 'an object without unknown fields');
      }
    }
    const result: Record<string, unknown> = {};
    for (const [key, shape] of Object.entries(fields)) {
      result[key] = shape(
        Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
        `${at}/${key}`,
      );
    }
    return result as FieldsOf<F>;
  };
}

/** Chooses the shape by the text in one field: a discriminated union. */
export function tagged<T>(field: string, shapes: Readonly<Record<string, Shape<T>>>): Shape<T> {
  return (value, at) => {
    const tag = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
    const shape = typeof tag === 'string' && Object.hasOwn(shapes, tag) ? shapes[tag] : undefined;
    if (shape === undefined) throw new ShapeError(`${at}/${field}`, `one of ${Object.keys(shapes).join(', ')}`);
    return shape(value, at);
  };
}

/** Reads `value`, and turns what is wrong with it into the caller's error. */
export function read<T>(shape: Shape<T>, value: unknown, refuse: (reason: string) => DomainError): T {
  try {
    return shape(value, '');
  } catch (error) {
    if (error instanceof ShapeError) throw refuse(error.message);
    throw error;
  }
}
