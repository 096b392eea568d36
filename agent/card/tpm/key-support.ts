import { DomainError, KEY_TYPES, type KeyType } from '@cardwright/protocol';
import { TPM_CC } from '@cardwright/protocol/tpm';
import { isRefusal, RC, type Tpm } from '../../tpm/index.ts';
import { keyParameters } from './key-template.ts';

/**
 * Asks the TPM whether it has such keys (TPM2_TestParms), before a slow search for one begins and fails with a number.
 * RSA-3072 and P-384 are optional in the PC Client profile. Throws `key-type-not-supported`.
 */
export async function requireKeyType(tpm: Tpm, keyType: KeyType): Promise<void> {
  try {
    await tpm.run({ code: TPM_CC.TestParms, parameters: keyParameters(keyType) });
  } catch (cause) {
    if (!isRefusal(cause, RC.ASYMMETRIC, RC.VALUE, RC.KEY_SIZE, RC.CURVE)) throw cause;
    const detail =
      `The TPM of this device can't make ${KEY_TYPES[keyType].words} (${keyType}). ` +
      "The card's profile must ask for another kind of key: P-256 and RSA-2048 are what every TPM 2.0 of a PC has.";
    throw new DomainError('conflict', 'key-type-not-supported', detail, { cause, data: { keyType } });
  }
}
