import { isDomainError } from '@cardwright/protocol';
import {
  type Bytes,
  CARD_NV_ATTRIBUTES,
  CARD_NV_LAST,
  encodeNvPublic,
  type NvPublic,
  nvName,
  PIN_COUNTER_BYTES,
  sha256,
} from '@cardwright/protocol/tpm';
import {
  defineSpace,
  EMPTY_AUTH,
  type Entity,
  isRefusal,
  RC,
  readNvPublic,
  type Tpm,
  undefineSpace,
} from '../tpm/index.ts';
import type { PinIndexTrial } from './facts.ts';

/**
 * At the far end of the range in which cards stand, beginning at the last: a place where something else stands is passed
 * over. No card comes there before the TPM holds four million.
 */
const PLACES = [0, 1, 2, 3].map((back) => CARD_NV_LAST - back);

/**
 * An index of the card's kind, but with a policy that nobody can fulfil: it says by its Name that it is a trial, so that
 * one that an interrupted doctor left can be told from everything else.
 */
const TRIAL_POLICY: Bytes = sha256(new TextEncoder().encode('cardwright-agent doctor: a trial, to be removed'));

const trialAt = (nvIndex: number): NvPublic => ({
  nvIndex,
  attributes: CARD_NV_ATTRIBUTES,
  authPolicy: TRIAL_POLICY,
  dataSize: PIN_COUNTER_BYTES,
});

const entity = (nvIndex: number): Entity => ({ handle: nvIndex, name: nvName(trialAt(nvIndex)) });

export const isTrial = ({ authPolicy }: NvPublic): boolean => Buffer.from(authPolicy).equals(TRIAL_POLICY);

/** Removes the trials of earlier runs, and nothing else: true if there was one. */
export async function removeLeftOvers(tpm: Tpm): Promise<boolean> {
  let removed = false;
  for (const nvIndex of PLACES) {
    const found = await readNvPublic(tpm, nvIndex);
    if (found === undefined || !Buffer.from(found.name).equals(entity(nvIndex).name)) continue;
    removed = (await remove(tpm, nvIndex)) || removed;
  }
  return removed;
}

/**
 * Defines an index of the card's kind and removes it again: capabilities only say what a TPM's maker says, this is what
 * it does. The owner's password is not subject to the lockout, so that asking with the empty one costs nothing.
 */
export async function tryPinIndex(tpm: Tpm): Promise<PinIndexTrial> {
  for (const nvIndex of PLACES) {
    try {
      await defineSpace(tpm, EMPTY_AUTH, tpm.random(16), encodeNvPublic(trialAt(nvIndex)));
    } catch (error) {
      if (isRefusal(error, RC.NV_DEFINED)) continue;
      if (isRefusal(error, RC.NV_SPACE)) return 'no-room';
      if (isRefusal(error, RC.ATTRIBUTES)) return 'unsupported';
      if (isRefusal(error, RC.BAD_AUTH, RC.AUTH_FAIL)) return 'owner-password';
      if (isRefusal(error)) return { refused: error.detail };
      throw error;
    }
    await remove(tpm, nvIndex);
    return 'works';
  }
  return { refused: 'other things stand where a trial could be made' };
}

/** False where the owner has a password, or where another doctor was quicker. */
async function remove(tpm: Tpm, nvIndex: number): Promise<boolean> {
  try {
    await undefineSpace(tpm, EMPTY_AUTH, entity(nvIndex));
    return true;
  } catch (error) {
    if (isDomainError(error) && isRefusal(error, RC.BAD_AUTH, RC.AUTH_FAIL, RC.HANDLE)) return false;
    throw error;
  }
}
