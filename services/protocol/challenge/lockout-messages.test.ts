import { describe, expect, it } from 'vitest';
import {
  decodeLines,
  encodeLines,
  LOCKOUT_CHALLENGE_BYTES,
  LOCKOUT_RESPONSE_BYTES,
  packChallenge,
  packLockoutChallenge,
  packLockoutResponse,
  unpackChallenge,
  unpackLockoutChallenge,
  unpackLockoutResponse,
  unpackResponse,
} from './index.ts';

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

describe('the texts of a locked TPM', () => {
  it('go through their lines as they were', () => {
    const challenge = { deviceTag: bytes(2, 7), nonce: bytes(16, 9) };
    const packed = packLockoutChallenge(challenge);
    expect(packed).toHaveLength(LOCKOUT_CHALLENGE_BYTES);
    const decoded = decodeLines(encodeLines(packed).join('\n'), LOCKOUT_CHALLENGE_BYTES);
    expect(decoded.ok && unpackLockoutChallenge(decoded.bytes)).toEqual(challenge);
    const response = { challengeTag: bytes(2, 3), signature: bytes(64, 5) };
    expect(unpackLockoutResponse(packLockoutResponse(response))).toEqual(response);
    expect(packLockoutResponse(response)).toHaveLength(LOCKOUT_RESPONSE_BYTES);
  });

  it('are taken for none of a card, and none of a card for them', () => {
    const ofCard = packChallenge({ cardTag: bytes(2, 0), resetNonce: bytes(16, 0), writeNonce: bytes(16, 0) });
    expect(unpackLockoutChallenge(ofCard)).toBeUndefined();
    expect(unpackChallenge(packLockoutChallenge({ deviceTag: bytes(2, 0), nonce: bytes(16, 0) }))).toBeUndefined();
    for (let length = 0; length < 80; length++) {
      expect(unpackLockoutResponse(bytes(length, 1))).toBeUndefined();
      expect(unpackLockoutChallenge(bytes(length, 1))).toBeUndefined();
      expect(unpackResponse(bytes(length, 0x81))).toBeUndefined();
    }
  });

  it('are not made of fields of another length', () => {
    expect(() => packLockoutChallenge({ deviceTag: bytes(3, 0), nonce: bytes(16, 0) })).toThrow(RangeError);
    expect(() => packLockoutResponse({ challengeTag: bytes(2, 0), signature: bytes(63, 0) })).toThrow(RangeError);
  });
});
