import { describe, expect, it } from 'vitest';
import { type Assurance, assuranceOfRenewal, isAtLeast, weakestOf } from '../certificates/index.ts';
import { type AssuranceFacts, assuranceOf } from './assurance.ts';

const base: AssuranceFacts = { method: 'code', initialPin: 'holder', verifications: [], signer: null, attested: true };
const of = (facts: Partial<AssuranceFacts>): Assurance => assuranceOf({ ...base, ...facts });

describe('the level that an enrolment reaches', () => {
  it.each([
    // Who had the code is known of nobody, whatever the TPM says.
    [{}, 'low'],
    [{ attested: false }, 'low'],
    [{ initialPin: 'handed-over', verifications: ['in-person'] }, 'substantial'],
    [{ initialPin: 'supervised', verifications: ['in-person'] }, 'high'],
    [{ initialPin: 'supervised', verifications: ['call-back'] }, 'low'],
    [{ method: 'on-behalf', verifications: ['in-person'] }, 'substantial'],
    [{ method: 'on-behalf', verifications: ['in-person'], initialPin: 'supervised' }, 'high'],
    [{ method: 'on-behalf', verifications: ['in-person'], initialPin: 'supervised', attested: false }, 'substantial'],
    [{ method: 'on-behalf', verifications: ['video'], initialPin: 'supervised' }, 'substantial'],
    [{ method: 'on-behalf', verifications: ['call-back'] }, 'low'],
    // The second look at the person was better, or the first.
    [{ method: 'on-behalf', verifications: ['call-back', 'in-person'], initialPin: 'supervised' }, 'high'],
    [{ method: 'on-behalf', verifications: ['in-person', 'call-back'], initialPin: 'supervised' }, 'high'],
    [{ method: 'pre-provisioned', verifications: ['in-person'], initialPin: 'supervised' }, 'high'],
    [{ method: 'pre-provisioned', verifications: ['manager'], initialPin: 'handed-over' }, 'substantial'],
    [{ method: 'existing-certificate', signer: 'high' }, 'high'],
    [{ method: 'existing-certificate', signer: 'high', initialPin: 'handed-over' }, 'substantial'],
    [{ method: 'existing-certificate', signer: 'high', attested: false }, 'substantial'],
    [{ method: 'existing-certificate', signer: 'low' }, 'low'],
    [{ method: 'existing-certificate', signer: null }, 'none'],
    // What an operator says does not make up for a weak certificate.
    [{ method: 'existing-certificate', signer: 'low', verifications: ['in-person'] }, 'low'],
  ] as const)('by %j is %s', (facts, level) => {
    expect(of(facts)).toBe(level);
  });
});

it('a renewal keeps the level where the proof is as strong, and never raises it', () => {
  const levels: Assurance[] = ['none', 'low', 'substantial', 'high'];
  for (const before of levels) {
    const kept = [
      { key: 'same', attested: false, signedByOld: false },
      { key: 'new', attested: true, signedByOld: false },
      { key: 'new', attested: false, signedByOld: true },
    ] as const;
    for (const key of kept) expect(assuranceOfRenewal(before, key)).toBe(before);
    const unproven = assuranceOfRenewal(before, { key: 'new', attested: false, signedByOld: false });
    expect(unproven).toBe(before === 'none' ? 'none' : 'low');
  }
});

it('the weakest of levels is at most each of them', () => {
  expect(weakestOf('high', 'low', 'substantial')).toBe('low');
  expect([isAtLeast('high', 'low'), isAtLeast('low', 'low'), isAtLeast('none', 'low')]).toEqual([true, true, false]);
});
