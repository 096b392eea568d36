import { DomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { bytes, integer, line, oneOf, params, uuid } from './params.ts';

function outcome(parse: (value: unknown) => unknown, value: unknown): string {
  try {
    parse(value);
    return 'taken';
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return `${error.kind} ${error.code} ${error.fields?.[0]?.pointer}`;
  }
}

describe('params', () => {
  const parse = params({ name: line(5), count: integer(1, 3) });

  it('are an object with exactly the known fields', () => {
    expect(parse({ name: 'ab', count: 2 })).toEqual({ name: 'ab', count: 2 });
    expect(outcome(parse, { name: 'ab', count: 2, more: 1 })).toBe('invalid field-unknown /more');
    expect(outcome(parse, JSON.parse('{"name":"ab","count":2,"__proto__":1}'))).toBe(
      'invalid field-unknown /__proto__',
    );
    expect(outcome(parse, { name: 'ab', count: 2, a1b2c3d4e5f60718: 1 })).toBe('invalid field-unknown /?');
    expect(outcome(parse, { name: 'ab' })).toBe('invalid field-invalid /count');
    for (const value of [undefined, null, [], 'x', 1]) expect(outcome(parse, value)).toBe('invalid field-invalid ');
  });

  it.each<[string, (value: unknown, pointer: string) => unknown, unknown[], unknown[]]>([
    ['a line', line(5), ['a', 'ří ž5'], ['', '123456', 'a\n', 'a\0', '\u0085', '\ud800', 5, null]],
    ['a UUID', uuid, ['0190a5f0-0000-7000-8000-00000000000f'], ['0190A5F0-0000-7000-8000-00000000000f', 'x', '', 1]],
    ['an integer', integer(1, 3), [1, 3], [0, 4, 1.5, '1', Number.NaN, 2 ** 60]],
    ['one of some', oneOf(['a', 'b']), ['a'], ['c', 'toString', 1, undefined]],
    ['bytes', bytes(1, 3), ['AA', 'AAAA'], ['', 'A', 'AAAAA', 'AB', 'AA==', 'A+==', '__=', 7, 'AAAAAAAA']],
    ['exact bytes', bytes(2, 2), ['AAA', '_-8'], ['AA', 'AAAA']],
  ])('may be %s', (_, field, good, bad) => {
    const one = params({ value: field });
    for (const value of good) expect(outcome(one, { value })).toBe('taken');
    for (const value of bad) expect(outcome(one, { value })).toBe('invalid field-invalid /value');
  });

  it('never show what was given', () => {
    const error = (() => {
      try {
        params({ value: bytes(1, 2) })({ value: 'hunter2hunter2' });
      } catch (e) {
        return e as DomainError;
      }
    })();
    expect(`${error?.message} ${JSON.stringify(error)}`).not.toContain('hunter2');
  });
});
