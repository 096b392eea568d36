import { describe, expect, it } from 'vitest';
import { judgeRelease, judgeRevocation, type Revocation, type StatusChange } from './status.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 0, minutes));
const PERIOD = { notBefore: at(0), latest: at(60) };
const hold = { status: 'on-hold', reason: 'certificateHold', at: at(10), invalidityDate: null } as const;
const gone = { status: 'revoked', reason: 'superseded', at: at(10), invalidityDate: null } as const;
const released = { status: 'good', at: at(20) } as const;
const revoke = (
  last: StatusChange | null,
  reason: Revocation['reason'],
  minutes: number,
  invalidityDate: Date | null = null,
) => judgeRevocation(last, { reason, at: at(minutes), invalidityDate }, PERIOD);
const refusal = (kind: string, code: string) => expect.objectContaining({ kind, code });

describe('a revocation', () => {
  it('for good is recorded of what is good, held or released, and then stands whatever comes', () => {
    const record = { ...gone, reason: 'keyCompromise', at: at(30) };
    for (const last of [null, hold, released]) expect(revoke(last, 'keyCompromise', 30)).toEqual({ record });
    for (const reason of ['keyCompromise', 'certificateHold', 'superseded'] as const) {
      expect(revoke(gone, reason, 30)).toEqual({ stands: gone });
    }
  });

  it('may be dated before a hold or its release, but a hold not before the last release', () => {
    expect(revoke(hold, 'keyCompromise', 5)).toHaveProperty('record.at', at(5));
    expect(revoke(released, 'keyCompromise', 5)).toHaveProperty('record.at', at(5));
    expect(() => revoke(released, 'certificateHold', 19)).toThrow(refusal('unprocessable', 'revoked-at-not-possible'));
    expect(revoke(released, 'certificateHold', 20)).toHaveProperty('record.status', 'on-hold');
  });

  it('is one of a time when there was a certificate', () => {
    for (const minutes of [-1, 61]) {
      expect(() => revoke(null, 'superseded', minutes)).toThrow(refusal('unprocessable', 'revoked-at-not-possible'));
    }
  });

  it('may say since when the key was bad, even before the certificate, but not in the future or with a hold', () => {
    expect(revoke(null, 'keyCompromise', 30, at(-100))).toHaveProperty('record.invalidityDate', at(-100));
    const code = refusal('unprocessable', 'invalidity-date-not-possible');
    expect(() => revoke(null, 'keyCompromise', 30, at(61))).toThrow(code);
    expect(() => revoke(null, 'certificateHold', 30, at(1))).toThrow(code);
  });

  it('that is a hold once more leaves the first', () => {
    expect(revoke(hold, 'certificateHold', 30)).toEqual({ stands: hold });
  });
});

describe('a release', () => {
  it('ends a hold, and the same one again is no other', () => {
    expect(judgeRelease(hold, at(20), PERIOD.latest)).toEqual({ record: released });
    expect(judgeRelease(released, at(20), PERIOD.latest)).toEqual({ stands: released });
  });

  it('of anything else is refused', () => {
    for (const last of [null, gone]) {
      expect(() => judgeRelease(last, at(20), PERIOD.latest)).toThrow(refusal('conflict', 'certificate-not-on-hold'));
    }
    expect(() => judgeRelease(released, at(21), PERIOD.latest)).toThrow(refusal('conflict', 'certificate-not-on-hold'));
    for (const minutes of [9, 61]) {
      const code = refusal('unprocessable', 'released-at-not-possible');
      expect(() => judgeRelease(hold, at(minutes), PERIOD.latest)).toThrow(code);
    }
  });
});
