import { isDomainError } from '@cardwright/protocol';
import {
  type AttestationServer,
  attestDevice,
  evidenceOf,
  mayBeOtherwise,
  type TextEvidence,
} from '../attestation/attest-device.ts';
import type { Bytes, CardMaker, CardRecord } from '../card/port.ts';

/**
 * What goes with a request by the profile's policy: the same proof as at enrolment. Undefined where the TPM can't be proven
 * and need not be. Made anew each time: a nonce is good for minutes.
 */
export async function proofOf(
  cards: CardMaker,
  server: AttestationServer,
  policy: 'required' | 'preferred' | 'off',
  record: CardRecord,
  key: Bytes,
): Promise<TextEvidence | undefined> {
  if (policy === 'off') return undefined;
  const attestation = cards.attestation();
  try {
    await attestDevice(attestation, server);
    return await evidenceOf(attestation, server, record, key);
  } catch (error) {
    if (policy === 'required' || !isDomainError(error) || !mayBeOtherwise(error)) throw error;
    return undefined;
  }
}
