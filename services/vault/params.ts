import { DomainError } from '@cardwright/protocol';

/** Judges one value; throws {@link invalid} with what is right. */
export type Field<T> = (value: unknown, pointer: string) => T;
type Shape = Readonly<Record<string, Field<unknown>>>;
export type Parsed<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

function invalid(pointer: string, detail: string): DomainError {
  return new DomainError('invalid', 'field-invalid', `${pointer || 'params'}: ${detail}`, {
    fields: [{ pointer, detail }],
  });
}

/**
 * Takes an object with exactly these fields.
 * @returns a parser; it throws DomainError `field-unknown` or `field-invalid` (invalid), never showing the value.
 */
export function params<S extends Shape>(shape: S): (value: unknown, at?: string) => Parsed<S> {
  const names = Object.keys(shape);
  return (value, at = '') => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(at, 'must be an object');
    for (const name of Object.keys(value)) {
      if (!names.includes(name)) {
        // Shown only when it looks like a name: a caller's mistake could have put anything in its place.
        const pointer = at + (/^[A-Za-z_]{1,32}$/.test(name) ? `/${name}` : '/?');
        throw new DomainError('invalid', 'field-unknown', `${pointer} is not a field of this operation.`, {
          fields: [{ pointer, detail: `known are: ${names.join(', ')}` }],
        });
      }
    }
    const given = value as Record<string, unknown>;
    const parsed: Record<string, unknown> = {};
    for (const name of names) {
      parsed[name] = shape[name]?.(Object.hasOwn(given, name) ? given[name] : undefined, `${at}/${name}`);
    }
    return parsed as Parsed<S>;
  };
}

/** One line of 1 to `max` characters. Control characters would let a caller forge lines of a log or a record. */
export function line(max: number): Field<string> {
  return (value, pointer) => {
    if (typeof value !== 'string' || value.length === 0 || value.length > max || /[\p{Cc}\p{Cs}]/u.test(value)) {
      throw invalid(pointer, `must be 1 to ${max} characters, no control characters`);
    }
    return value;
  };
}

export const uuid: Field<string> = (value, pointer) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) {
    throw invalid(pointer, 'must be a UUID in lower case');
  }
  return value;
};

export function integer(min: number, max: number): Field<number> {
  return (value, pointer) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw invalid(pointer, `must be a whole number, ${min} to ${max}`);
    }
    return value;
  };
}

/** A number that may be larger than 2^53, in digits. */
export const decimal: Field<string> = (value, pointer) => {
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,17})$/.test(value)) {
    throw invalid(pointer, 'must be a whole number in decimal digits, as text');
  }
  return value;
};

export function oneOf<const T extends readonly string[]>(allowed: T): Field<T[number]> {
  return (value, pointer) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw invalid(pointer, `must be one of ${allowed.join(', ')}`);
    return found;
  };
}

/** RFC 4648 section 5 without padding, in its only canonical spelling. */
export function bytes(min: number, max: number): Field<Uint8Array> {
  return (value, pointer) => {
    const wrong = () => invalid(pointer, `must be ${min === max ? min : `${min} to ${max}`} bytes in base64url`);
    if (typeof value !== 'string' || value.length > Math.ceil((max * 4) / 3)) throw wrong();
    const decoded = Buffer.from(value, 'base64url');
    if (decoded.length < min || decoded.length > max || decoded.toString('base64url') !== value) throw wrong();
    return new Uint8Array(decoded);
  };
}

export const flag: Field<boolean> = (value, pointer) => {
  if (typeof value !== 'boolean') throw invalid(pointer, 'must be true or false');
  return value;
};

/** @param right what is right, in words. */
export function matching(pattern: RegExp, right: string): Field<string> {
  return (value, pointer) => {
    if (typeof value !== 'string' || value.length > 200 || !pattern.test(value)) throw invalid(pointer, right);
    return value;
  };
}

export function nullable<T>(field: Field<T>): Field<T | null> {
  return (value, pointer) => (value === null ? null : field(value, pointer));
}

export function optional<T>(field: Field<T>): Field<T | undefined> {
  return (value, pointer) => (value === undefined ? undefined : field(value, pointer));
}

export function list<T>(field: Field<T>, least: number, most: number): Field<readonly T[]> {
  return (value, pointer) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      throw invalid(pointer, `must be a list of ${least} to ${most}`);
    }
    return value.map((one: unknown, at) => field(one, `${pointer}/${at}`));
  };
}
