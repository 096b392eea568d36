import { createHash } from 'node:crypto';
import { encodeLines, packChallenge } from '@cardwright/protocol/challenge';
import { expect, test } from 'vitest';
import { type ChallengedCard, challengeHash, minidriverResponse, parseChallenge, tpmResponse } from './challenge.ts';

const tpm: ChallengedCard = { serial: 'CW-7K3M-92QF', kind: 'tpm', algorithm: 'hmac-sha256' };
const tdes: ChallengedCard = { serial: 'MD-1', kind: 'minidriver', algorithm: 'tdes' };
const aes: ChallengedCard = { serial: 'MD-2', kind: 'minidriver', algorithm: 'aes-256' };
const tagOf = (serial: string) => createHash('sha256').update(serial).digest().subarray(0, 2);
const textFor = (serial: string, fill = 7) => {
  const nonce = new Uint8Array(16).fill(fill);
  return encodeLines(packChallenge({ cardTag: tagOf(serial), resetNonce: nonce, writeNonce: nonce })).join('\n');
};

function refusal(card: ChallengedCard, typed: string): { code: string; detail: string; data?: unknown } {
  try {
    parseChallenge(card, typed);
  } catch (error) {
    return error as never;
  }
  throw new Error('it was taken');
}

test('one challenge has one hash however it is typed, and another has another', () => {
  const hash = (typed: string) => Buffer.from(challengeHash(parseChallenge(tpm, typed))).toString('hex');
  const text = textFor(tpm.serial);
  expect(hash(text.toLowerCase().replaceAll('\n', ' ').replaceAll('0', 'o'))).toBe(hash(text));
  expect(hash(textFor(tpm.serial, 8))).not.toBe(hash(text));
});

test('a challenge of another card is known by its tag', () => {
  expect(refusal(tpm, textFor('CW-0000-0000')).code).toBe('challenge-for-another-card');
});

test('a slip is found at its line', () => {
  const lines = textFor(tpm.serial).split('\n');
  for (const [at, line] of lines.entries()) {
    const slipped = (line[2] === '7' ? '8' : '7') + line.slice(3);
    const typed = lines.map((one, n) => (n === at ? one.slice(0, 2) + slipped : one)).join('\n');
    expect(refusal(tpm, typed)).toMatchObject({ code: 'challenge-malformed', data: { line: at + 1 } });
  }
});

test("a minidriver card's challenge has the length of its cipher's blocks", () => {
  expect(parseChallenge(tdes, '1603 ebdf-1C8A:2E72').bytes).toHaveLength(8);
  expect(refusal(tdes, '1603 EBDF 1C8A 2E7').detail).toContain('15 were given');
  expect(refusal(aes, '1603 EBDF 1C8A 2E72').detail).toContain('32');
  expect(refusal(tdes, textFor(tpm.serial)).code).toBe('challenge-malformed');
  expect(refusal(tdes, 'F'.repeat(100_000)).code).toBe('challenge-malformed');
});

test('a response names its card and its challenge', () => {
  const answer = { resetAnswer: new Uint8Array(32).fill(1), writeAnswer: new Uint8Array(32).fill(2) };
  const one = tpmResponse(tpm, parseChallenge(tpm, textFor(tpm.serial)), answer);
  const other = tpmResponse(tpm, parseChallenge(tpm, textFor(tpm.serial, 9)), answer);
  expect(one[0]).not.toBe(other[0]);
  expect(one.slice(1)).toEqual(other.slice(1));
  expect(minidriverResponse(Buffer.from('17466E766E303CB6', 'hex'))).toEqual(['1746 6E76 6E30 3CB6']);
});
