import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import {
  decodeLines,
  LOCKOUT_RESPONSE_BYTES,
  packLockoutChallenge,
  TAG_BYTES,
  unpackLockoutResponse,
} from '@cardwright/protocol/challenge';
import { mistyped } from '../unblock/response.ts';

/** What `encodeLines` shows of a challenge. */
export const lockoutChallengeBytes = (deviceId: string, nonce: Uint8Array): Uint8Array =>
  packLockoutChallenge({ deviceTag: tag(Buffer.from(deviceId, 'utf8')), nonce });

/**
 * The signature in a response, which must be one to this challenge, so that a mix-up is named before the TPM is asked; it is
 * the TPM that refuses a forged one. Throws, kind `unprocessable`: `response-mistyped`, `response-for-another-challenge`.
 */
export function readLockoutResponse(typed: string, challenge: Uint8Array): Uint8Array {
  const decoded = decodeLines(typed, LOCKOUT_RESPONSE_BYTES);
  if (!decoded.ok) throw mistyped(decoded.line, decoded.detail);
  const response = unpackLockoutResponse(decoded.bytes);
  if (response === undefined) throw mistyped(0, 'its first character stands for another kind of response');
  if (Buffer.compare(response.challengeTag, tag(challenge)) === 0) return response.signature;
  const detail = 'This response answers another challenge. Read the challenge that is shown now to the operator.';
  throw new DomainError('unprocessable', 'response-for-another-challenge', detail);
}

const tag = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest().subarray(0, TAG_BYTES));
