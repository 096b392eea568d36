import { createHash } from 'node:crypto';
import { encodeLines, packChallenge } from '@cardwright/protocol/challenge';
import { expect, it } from 'vitest';
import { challengeIsOf } from './challenge-card.ts';
import { challengeFormatOf } from './challenge-input.ts';

const tpm = challengeFormatOf({ kind: 'tpm', algorithm: 'hmac-sha256' });
const text = encodeLines(
  packChallenge({
    cardTag: new Uint8Array(createHash('sha256').update('CW-7K3M-92QF').digest().subarray(0, 2)),
    resetNonce: new Uint8Array(16).fill(7),
    writeNonce: new Uint8Array(16).fill(9),
  }),
).join('\n');

it('knows the challenge of another card by its tag, before the server is asked', async () => {
  expect(await challengeIsOf('CW-7K3M-92QF', tpm, text)).toBe('this-card');
  expect(await challengeIsOf('CW-0000-0000', tpm, text)).toBe('another-card');
});

it('leaves what has no tag to the server', async () => {
  const tdes = challengeFormatOf({ kind: 'minidriver', algorithm: 'tdes' });
  expect(await challengeIsOf('X', tdes, '1603 EBDF 1C8A 2E72')).toBe('unknown');
  expect(await challengeIsOf('X', tpm, 'nonsense')).toBe('unknown');
});
