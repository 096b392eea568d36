import { describe, expect, it } from 'vitest';
import { fuzz } from '../testing/fuzz.ts';
import { parseCertificate } from './certificate.ts';
import { ATTESTATION_PARSERS } from './testing/parsers.ts';

/** A thousand inputs each; the bench gives a million to the same list. */
describe('whatever a device sends is refused or read, and breaks nothing', () => {
  it.each(Object.entries(ATTESTATION_PARSERS))('%s', (_, { parse, samples }) => {
    for (const sample of samples) expect(() => parse(sample)).not.toThrow();
    const { inputs, accepted, refused } = fuzz(parse, 1000, 20_261_121, samples);
    expect(inputs).toBe(1000);
    // Most inputs are wrong, and some get through: the fuzzer is neither blind nor idle.
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(300);
    expect(accepted).toBeGreaterThan(0);
  });

  it('reads a certificate in time that grows with its size only', () => {
    const deep = new Uint8Array(8192);
    for (let at = 0; at < deep.length - 4; at += 4) deep.set([0x30, 0x82, (8188 - at) >>> 8, (8188 - at) & 0xff], at);
    expect(() => parseCertificate(deep)).toThrow(expect.objectContaining({ code: 'ek-certificate-malformed' }));
  });
});
