import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors.ts';
import { fuzz } from './fuzz.ts';

const sample = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('fuzz', () => {
  it('gives the same inputs for the same seed, others for another', () => {
    const inputsOf = (seed: number) => {
      const inputs: string[] = [];
      fuzz((input) => inputs.push(Buffer.from(input).toString('hex')), 200, seed, [sample]);
      return inputs;
    };
    expect(inputsOf(7)).toEqual(inputsOf(7));
    expect(inputsOf(7)).not.toEqual(inputsOf(8));
    expect(new Set(inputsOf(7)).size).toBeGreaterThan(100);
  });

  it('counts what was taken and what was refused', () => {
    const picky = (input: Uint8Array) => {
      if (input.length !== 8) throw new DomainError('unprocessable', 'length-wrong', 'not 8 bytes');
    };
    const report = fuzz(picky, 300, 1, [sample]);
    expect(report.accepted).toBeGreaterThan(20);
    expect(report.accepted + (report.refused['length-wrong'] ?? 0)).toBe(300);
  });

  it('shows the input that broke the parser', () => {
    const broken = (input: Uint8Array) => {
      if (input.length > 8) throw new RangeError('out of bounds');
    };
    expect(() => fuzz(broken, 300, 1, [sample])).toThrow(/input \d+ of seed 1 broke the parser: [0-9a-f]+/);
  });

  it('takes a refusal of kind internal for a defect', () => {
    const broken = () => {
      throw new DomainError('internal', 'random-broken', 'a defect');
    };
    expect(() => fuzz(broken, 1, 1)).toThrow(/broke the parser/);
  });

  it('takes a parser that is slow for one that hangs', () => {
    const slow = () => {
      const until = performance.now() + 1100;
      while (performance.now() < until);
    };
    expect(() => fuzz(slow, 1, 1)).toThrow(/took \d+/);
  });
});
