import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { PROTOCOL_PARSERS } from './parsers.ts';

/** A thousand inputs each; the bench gives a million to the same lists, with a seed of its own. */
it.each(Object.entries(PROTOCOL_PARSERS))(
  '%s: whatever is sent is read or refused, and breaks nothing',
  (_, { parse, samples }) => {
    const { inputs, accepted, refused } = fuzz(parse, 1000, 20_261_121, samples);
    expect(inputs).toBe(1000);
    expect(accepted + Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(1000);
  },
);
