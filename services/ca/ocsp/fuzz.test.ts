import { fuzz } from '@cardwright/protocol/testing';
import { describe, expect, it } from 'vitest';
import { OCSP_PARSERS } from '../testing/ocsp-parsers.ts';

describe('damaged OCSP requests', () => {
  it.each(Object.entries(OCSP_PARSERS))('%s: are read or refused as malformed', (_name, { parse, samples }) => {
    const report = fuzz(parse, 20_000, 20_261_121, samples);
    expect(Object.keys(report.refused)).toEqual(['ocsp-request-malformed']);
    expect(report.accepted).toBeGreaterThan(0);
    expect(report.inputs).toBe(20_000);
  });
});
