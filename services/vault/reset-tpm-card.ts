import { DomainError } from '@cardwright/protocol';
import type { Custody } from './custody.ts';
import { withCardKey } from './key-source.ts';
import type { ResetTpmCard, TpmResetAnswer } from './operations.ts';
import type { KeyStore } from './ports.ts';
import { keyNotConfirmed, keySuperseded, keyUnknown } from './refusals.ts';
import { foundingIndex, resetAnswers, tpmFacts } from './tpm-answers.ts';

/** See VaultClient.resetTpmCard. The PIN limit that the reset restores is the vault's own record of it. */
export async function resetTpmCard(custody: Custody, keys: KeyStore, params: ResetTpmCard): Promise<TpmResetAnswer> {
  const record = await keys.find(params.cardId, params.keyVersion);
  if (record === undefined) throw keyUnknown();
  const facts = tpmFacts(record);
  if (record.state === 'superseded') throw keySuperseded();
  if (record.state !== 'confirmed') throw keyNotConfirmed();
  if (foundingIndex(record) !== params.nvIndex) {
    throw new DomainError(
      'unprocessable',
      'nv-index-not-of-this-card',
      'The card lives at the NV index whose first write was signed; resets are for that one.',
    );
  }
  return withCardKey(custody, keys, record, (key) => resetAnswers(key, facts, params));
}
