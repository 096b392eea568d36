import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  CHALLENGE_BYTES,
  packChallenge,
  packResponse,
  RESPONSE_BYTES,
  unpackChallenge,
  unpackResponse,
} from './messages.ts';

const random = (length: number) => new Uint8Array(randomBytes(length));

it('packs and unpacks a challenge and a response', () => {
  const challenge = { cardTag: random(2), resetNonce: random(16), writeNonce: random(16) };
  expect(packChallenge(challenge)).toHaveLength(CHALLENGE_BYTES);
  expect(unpackChallenge(packChallenge(challenge))).toEqual(challenge);
  const response = { cardTag: random(2), challengeTag: random(2), resetAnswer: random(32), writeAnswer: random(32) };
  expect(packResponse(response)).toHaveLength(RESPONSE_BYTES);
  expect(unpackResponse(packResponse(response))).toEqual(response);
});

it('does not read another length or another version', () => {
  const packed = packChallenge({ cardTag: random(2), resetNonce: random(16), writeNonce: random(16) });
  expect(unpackChallenge(packed.slice(1))).toBeUndefined();
  expect(unpackChallenge(packed.with(0, 2))).toBeUndefined();
  expect(unpackResponse(packed)).toBeUndefined();
});
