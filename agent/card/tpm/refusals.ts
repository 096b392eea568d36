import { DomainError } from '@cardwright/protocol';
import { isRefusal, RC } from '../../tpm/index.ts';
import type { SlotState } from '../port.ts';
import type { CardPlace } from './place.ts';

/**
 * What the TPM's refusal of an answer means: 0x5DB the MAC does not fit this challenge; 0x4E3 (in PolicySigned) or 0x9A3 (in
 * the command that follows) too late; 0x99D, or a HMAC over another Name, that the index is not the one signed for.
 */
export async function answerRefusal(error: unknown, place: CardPlace, expected: SlotState): Promise<unknown> {
  if (isRefusal(error, RC.SIGNATURE)) {
    const detail = 'The card refused the response: it is not the answer of this card to this challenge.';
    return new DomainError('unprocessable', 'response-refused-by-card', detail, { cause: error });
  }
  if (isRefusal(error, RC.EXPIRED)) {
    const detail = 'The response came too late: begin anew with a fresh challenge.';
    return new DomainError('conflict', 'response-expired', detail, { cause: error });
  }
  if (!isRefusal(error, RC.POLICY_FAIL, RC.BAD_AUTH, RC.AUTH_FAIL, RC.HANDLE)) return error;
  return (await place.unlessIn(expected)) ?? error;
}

/**
 * What the TPM's refusal of a PIN means. A wrong PIN and an index that somebody put in the card's place look alike from
 * the response code, so the index is looked at.
 */
export async function pinRefusal(error: unknown, place: CardPlace): Promise<unknown> {
  if (!isRefusal(error, RC.BAD_AUTH, RC.AUTH_FAIL, RC.AUTH_UNAVAILABLE, RC.HANDLE, RC.POLICY_FAIL)) return error;
  const missing = await place.unlessIn('written');
  if (missing !== undefined) return missing;
  if (isRefusal(error, RC.AUTH_UNAVAILABLE)) {
    const detail = 'The card is blocked after too many wrong PINs: it must be unblocked.';
    return new DomainError('conflict', 'card-blocked', detail, { cause: error });
  }
  if (!isRefusal(error, RC.BAD_AUTH, RC.AUTH_FAIL)) return error;
  const { left } = await place.tries();
  const rest = left === 0 ? 'the card is now blocked' : left === 1 ? '1 try is left' : `${left} tries are left`;
  return new DomainError('unprocessable', 'pin-wrong', `The PIN is wrong: ${rest}.`, {
    cause: error,
    data: { triesLeft: left },
  });
}
