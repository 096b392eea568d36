import { fuzzAsync } from '@cardwright/protocol/testing';
import { expect, test } from 'vitest';
import { AGENT_PARSERS } from './parsers.ts';

/** A thousand inputs each; the bench gives a million to the same list, with a seed of its own. */
const SEED = 20_261_121;

test.each(Object.entries(AGENT_PARSERS))(
  '%s: whatever is said is read or refused, and breaks nothing',
  async (_, parser) => {
    const { inputs, refused } = await fuzzAsync(parser.parse, 1000, SEED, parser.samples);
    expect(inputs).toBe(1000);
    // Most inputs are wrong: a parser that refuses none of them does not look.
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(200);
  },
);

const TAKES_ITS_SAMPLES = Object.entries(AGENT_PARSERS).filter(([name]) => name !== 'TPM answer under a session');
test.each(TAKES_ITS_SAMPLES)('%s: a sample is taken as it stands', async (_, parser) => {
  let taken = 0;
  for (const sample of parser.samples) {
    await Promise.resolve(sample)
      .then(parser.parse)
      .then(
        () => taken++,
        () => undefined,
      );
  }
  expect(taken).toBeGreaterThan(0);
});
