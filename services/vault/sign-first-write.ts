import { DomainError } from '@cardwright/protocol';
import type { Custody } from './custody.ts';
import type { KeyRecord } from './key-record.ts';
import { withCardKey } from './key-source.ts';
import type { FirstWriteAnswer, SignFirstWrite } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { keyConfirmed, keyUnknown } from './refusals.ts';
import { firstWriteAnswer, tpmFacts } from './tpm-answers.ts';

/**
 * See VaultClient.signFirstWrite. An NV Name does not cover the PIN, so whoever gets a second first write for a key can
 * define the index anew with a PIN of his own and use the card's keys. Hence: claimed in the database before the answer
 * leaves, and given again only for the very same session of the TPM, which knows that nonce once.
 */
export async function signFirstWrite(
  custody: Custody,
  keys: KeyStore,
  params: SignFirstWrite,
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<FirstWriteAnswer> {
  const { cardId, keyVersion, nvIndex, nonce } = params;
  const record = await keys.find(cardId, keyVersion);
  if (record === undefined) throw keyUnknown();
  const facts = tpmFacts(record);
  if (record.state === 'confirmed') throw keyConfirmed();
  // Before the claim, so that a key that doesn't open, or an index that can't be, does not use up the only one.
  const answer = await withCardKey(custody, keys, record, (key) => firstWriteAnswer(key, facts, { nvIndex, nonce }));
  if (await keys.claimFirstWrite(cardId, keyVersion, { nvIndex, nonce }, use)) return answer;

  const now = await keys.list(cardId);
  if (now.some((version) => version.state === 'confirmed')) throw keyConfirmed();
  if (
    !isSameClaim(
      now.find((version) => version.keyVersion === keyVersion),
      params,
    )
  ) {
    throw new DomainError(
      'conflict',
      'first-write-already-signed',
      'the first write of this key version is signed, once and for all; make another version and begin anew',
    );
  }
  await recordRepeat(use);
  return answer;
}

function isSameClaim(record: KeyRecord | undefined, { nvIndex, nonce }: SignFirstWrite): boolean {
  const claim = record?.firstWrite;
  return claim != null && claim.nvIndex === nvIndex && Buffer.compare(claim.nonce, nonce) === 0;
}
