import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import {
  decodeLines,
  encodeLines,
  LOCKOUT_CHALLENGE_BYTES,
  packLockoutResponse,
  TAG_BYTES,
  unpackLockoutChallenge,
} from '@cardwright/protocol/challenge';
import type { Intent } from '../kernel/actor.ts';
import type { LockoutDependencies } from './ports.ts';

export interface Verification {
  readonly method: string;
  readonly evidence: string;
}

/**
 * The response to the challenge of a locked TPM, for the operator who verified who asks: with it the device forgives the
 * wrong tries once. Not guaranteed: that whoever tried them has stopped. The vault limits how many answers a device gets.
 * @throws DomainError `not-found`; `challenge-malformed`, `challenge-for-another-device` (unprocessable); those of the vault,
 *   among them `lockout-not-protected` (not-found).
 */
export async function resetLockout(
  { lockoutDevices, vault, unitOfWork, audit }: LockoutDependencies,
  intent: Intent,
  deviceId: string,
  asked: { readonly challenge: string; readonly verification: Verification },
): Promise<readonly string[]> {
  const storageKeyName = await lockoutDevices.storageKeyName(deviceId);
  if (storageKeyName === null) throw new DomainError('not-found', 'not-found', 'There is no such device.');
  const { bytes, nonce } = readChallenge(asked.challenge, deviceId);
  const record = (action: string) =>
    unitOfWork.run((tx) =>
      audit.record(tx, intent, {
        action,
        object: { kind: 'device', id: deviceId },
        about: { deviceId },
        verification: asked.verification,
        after: { challengeDigest: digest(nonce).toString('hex') },
      }),
    );
  await record('lockout.reset-requested');
  const { signature } = await vault.resetLockout({
    deviceId,
    parentName: new Uint8Array(Buffer.from(storageKeyName, 'hex')),
    nonce,
    requestedBy: intent.actor.id,
    requestId: intent.requestId,
  });
  await record('lockout.reset-answered');
  return encodeLines(packLockoutResponse({ challengeTag: tag(bytes), signature }));
}

function readChallenge(typed: string, deviceId: string): { bytes: Uint8Array; nonce: Uint8Array } {
  const decoded = decodeLines(typed, LOCKOUT_CHALLENGE_BYTES);
  if (!decoded.ok) throw malformed(decoded.line, decoded.detail);
  const message = unpackLockoutChallenge(decoded.bytes);
  if (message === undefined) throw malformed(0, 'it is not that of a locked TPM');
  if (!Buffer.from(message.deviceTag).equals(tag(Buffer.from(deviceId, 'utf8')))) {
    throw new DomainError(
      'unprocessable',
      'challenge-for-another-device',
      'This challenge was made by another device; compare its name.',
      { fields: [{ pointer: '/challenge', detail: 'made by another device' }] },
    );
  }
  return { bytes: decoded.bytes, nonce: message.nonce };
}

function malformed(line: number, detail: string): DomainError {
  const where = line === 0 ? 'The challenge' : `Line ${line} of the challenge`;
  return new DomainError('unprocessable', 'challenge-malformed', `${where} is not right: ${detail}.`, {
    fields: [{ pointer: '/challenge', detail }],
    data: { line },
  });
}

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const tag = (bytes: Uint8Array): Buffer => digest(bytes).subarray(0, TAG_BYTES);
