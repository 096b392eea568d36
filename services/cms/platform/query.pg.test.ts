import { describe, expect, it } from 'vitest';
import { beginningWith, containing, Where } from './query.pg.ts';

describe('a pattern', () => {
  it.each([
    ['Mary', "'%mary%'"],
    ["O'Neil", "'%o''neil%'"],
    ['100%', " E'%100\\\\%%'"],
    ['a_b', " E'%a\\\\_b%'"],
    ['\\', " E'%\\\\\\\\%'"],
    ["\\' OR 1=1 --", " E'%\\\\\\\\'' or 1=1 --%'"],
    ['nul\u0000', "'%nul%'"],
  ])('of %j is a literal of its own, and its wildcards are plain characters', (text, literal) => {
    expect(containing(text)).toBe(literal);
  });

  it('can ask for the beginning only', () => {
    expect(beginningWith('CW-7')).toBe("'cw-7%'");
  });
});

describe('conditions', () => {
  it('are numbered in order, and left out where nothing is asked', () => {
    const where = new Where()
      .and(undefined, (p) => `a = ${p}`)
      .and('x', (p) => `b = ${p}`)
      .contains('c', undefined)
      .and(null, (p) => `d = ${p}`)
      .and(7, (p) => `e < ${p}`);
    expect(String(where)).toBe('WHERE b = $1 AND e < $2');
    expect(where.values).toEqual(['x', 7]);
    expect(String(new Where())).toBe('');
  });
});
