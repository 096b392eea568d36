import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DerError, readDer, rfc5280Time, utf8Text } from './reader.ts';

const BOUNDS = { maxBytes: 1000, maxDepth: 8, maxValues: 50 };
const read = (hex: string) => readDer(Buffer.from(hex, 'hex'), BOUNDS);

describe('a reader of DER', () => {
  it('gives values with their children, as views', () => {
    const value = read('3006020101040100');
    expect(value.children.map(({ tag, content }) => [tag, content.toString('hex')])).toEqual([
      [0x02, '01'],
      [0x04, '00'],
    ]);
  });

  it.each([
    ['nothing', '', 'cut off'],
    ['bytes after the end', '0500ff', 'bytes after the end'],
    ['an indefinite length', '3080020101' + '0000', 'indefinite length'],
    ['a length in a longer form', '04810100', 'shortest form'],
    ['a length with leading zeros', '0482008100', 'shortest form'],
    ['a length of 2^32 and more', '0485ffffffffff', 'beyond what holds it'],
    ['a length that reaches too far', '04ff', 'beyond what holds it'],
    ['a child longer than its parent', '30030402ffff', 'beyond what holds it'],
    ['a cut-off child', '300104', 'cut off'],
    ['a constructed OCTET STRING', '2403040100', 'forbids'],
    ['a primitive SEQUENCE', '1000', 'forbids'],
    ['a high tag number', '1f8100', 'tag number over 30'],
    ['BOOLEAN 01', '010101', 'BOOLEAN'],
    ['an INTEGER with a needless zero', '02020001', 'shortest form'],
    ['an INTEGER with needless ones', '0202ff80', 'shortest form'],
    ['an empty INTEGER', '0200', 'empty INTEGER'],
    ['NULL with content', '050100', 'NULL'],
    ['a BIT STRING with 8 unused bits', '03020800', 'unused bits'],
    ['a BIT STRING with no bits of which some are unused', '030101', 'unused bits'],
    ['an OBJECT IDENTIFIER cut off', '060180', 'cut off'],
  ])('refuses %s', (_name, hex, problem) => {
    expect(() => read(hex)).toThrow(DerError);
    expect(() => read(hex)).toThrow(problem);
  });

  it('stops at its bounds', () => {
    expect(() => readDer(Buffer.alloc(1001), BOUNDS)).toThrow('longer than 1000 bytes');
    expect(read('300e300c300a30083006300430020500').children).toHaveLength(1);
    expect(() => read('3010300e300c300a30083006300430020500')).toThrow('nested deeper than 8');
    expect(() =>
      readDer(Buffer.concat([Buffer.from([0x30, 100]), Buffer.alloc(100, Buffer.from('0500', 'hex'))]), BOUNDS),
    ).toThrow('more than 50 values');
  });

  it('ends on any bytes with a value or a DerError, in little time', () => {
    const start = performance.now();
    for (let round = 0; round < 20_000; round += 1) {
      try {
        readDer(randomBytes(1 + (round % 60)), BOUNDS);
      } catch (error) {
        expect(error).toBeInstanceOf(DerError);
      }
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('takes times only in the form that RFC 5280 has for their year', () => {
    const at = (tag: number, text: string) =>
      rfc5280Time(readDer(Buffer.from([tag, text.length, ...Buffer.from(text)]), BOUNDS));
    expect(at(0x17, '491231235959Z').toISOString()).toBe('2049-12-31T23:59:59.000Z');
    expect(at(0x17, '500101000000Z').toISOString()).toBe('1950-01-01T00:00:00.000Z');
    expect(at(0x18, '20500101000000Z').toISOString()).toBe('2050-01-01T00:00:00.000Z');
    for (const [tag, text] of [
      [0x18, '20491231235959Z'],
      [0x17, '2601010000Z'],
      [0x17, '260101000000+0100'],
      [0x17, '260230000000Z'],
      [0x18, '20500101000000.5Z'],
      [0x16, '260101000000Z'],
    ] as const) {
      expect(() => at(tag, text)).toThrow(DerError);
    }
  });

  it('refuses invalid UTF-8', () => {
    expect(() => utf8Text(read('0c02c328'))).toThrow('invalid UTF-8');
    expect(utf8Text(read('0c02c3a9'))).toBe('é');
  });
});
