import { DomainError } from '@cardwright/protocol';
import { concat, sha256, u32 } from '@cardwright/protocol/tpm';
import type { Custody } from './custody.ts';
import type { FirstWrite, KeyRecord } from './key-record.ts';
import { withCardKey } from './key-source.ts';
import type { FirstWriteAnswer, SignFirstWrite } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { keyConfirmed, keyUnknown } from './refusals.ts';
import { firstWriteAnswer, tpmFacts } from './tpm-answers.ts';

/**
 * See VaultClient.signFirstWrite. An NV Name does not cover the PIN, so whoever gets a second first write for a key can
 * define the index anew with a PIN of his own and use the card's keys. Hence: claimed in the database and in the vault's
 * record before the answer leaves, and given again only for the very same session of the TPM, which knows that nonce once.
 * The rows could be put back by whoever owns the database; the record's chain, from the making of the key to now, can't.
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
  // A key that follows another one belongs to a card that is written; its seal says so, whatever became of the others' rows.
  if (record.lineage !== null || record.state !== 'proposed') throw keyConfirmed();
  // Before the claim, so that a key that doesn't open, or an index that can't be, does not use up the only one.
  const answer = await withCardKey(custody, keys, record, (key) => firstWriteAnswer(key, facts, { nvIndex, nonce }));
  const claim = await keys.claimFirstWrite(cardId, keyVersion, { nvIndex, nonce }, use);
  if (claim === 'claimed') return answer;

  const now = await keys.list(cardId);
  if (now.some((version) => version.state === 'confirmed')) throw keyConfirmed();
  const asked = now.find((version) => version.keyVersion === keyVersion);
  if (claim !== 'same' || !isSameClaim(asked, params)) {
    throw new DomainError(
      'conflict',
      'first-write-already-signed',
      'the first write of this key version is signed, once and for all; make another version and begin anew',
    );
  }
  await recordRepeat(use);
  return answer;
}

/** What the record has the digest of: both the session and the index that a first write was signed for. */
export function firstWriteClaim({ nvIndex, nonce }: FirstWrite): Uint8Array {
  return concat(nonce, u32(nvIndex));
}

/** How the record may have a first write; the second is from when it had the session alone. */
export function firstWriteDigests(claim: FirstWrite): readonly Uint8Array[] {
  return [sha256(firstWriteClaim(claim)), sha256(claim.nonce)];
}

function isSameClaim(record: KeyRecord | undefined, { nvIndex, nonce }: SignFirstWrite): boolean {
  const claim = record?.firstWrite;
  return claim != null && claim.nvIndex === nvIndex && Buffer.compare(claim.nonce, nonce) === 0;
}
