import { randomBytes, randomInt } from 'node:crypto';
import { isDomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { dataObject, dataObjects, valueAt } from './tlv.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

describe('data objects', () => {
  it.each([
    [0, 'df2000'],
    [127, 'df207f'],
    [128, 'df208180'],
    [256, 'df20820100'],
    [65_535, 'df2082ffff'],
  ])('of %i bytes are written and read', (length, start) => {
    const written = dataObject(0xdf20, new Uint8Array(length).fill(7));
    expect(Buffer.from(written).toString('hex')).toBe(start + '07'.repeat(length));
    expect(dataObjects(written)).toEqual([{ tag: 0xdf20, value: new Uint8Array(length).fill(7) }]);
  });

  it('are found by their path', () => {
    const nested = dataObject(0x7c, dataObject(0x80, bytes('ff')), dataObject(0x81, bytes('0102')));
    expect(valueAt(nested, 0x7c, 0x81)).toEqual(bytes('0102'));
    expect(valueAt(nested, 0x7c, 0x82)).toBeUndefined();
    expect(valueAt(nested, 0x7d, 0x81)).toBeUndefined();
  });

  it.each(['7c', '7c05', '7c0501', '5f', '5f8101', '7c80', '7c83000001', '7c82ff', 'df2081'])(
    'of %s are refused',
    (text) => {
      expect(() => dataObjects(bytes(text))).toThrow(expect.objectContaining({ code: 'card-answer-malformed' }));
    },
  );

  it('of any bytes are read or refused', () => {
    for (let round = 0; round < 1000; round++) {
      try {
        for (const { value } of dataObjects(new Uint8Array(randomBytes(randomInt(0, 40))))) {
          expect(value.length).toBeLessThan(40);
        }
      } catch (error) {
        if (!isDomainError(error)) throw error;
      }
    }
  });
});
