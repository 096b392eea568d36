import { DomainError } from '@cardwright/protocol';
import { concat, sha256, u32 } from '@cardwright/protocol/tpm';
import type { Custody } from './custody.ts';
import type { FirstWrite } from './key-record.ts';
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
  const { claimed, recorded } = await keys.claimFirstWrite(cardId, keyVersion, { nvIndex, nonce }, use);
  if (claimed) return answer;

  const now = await keys.list(cardId);
  if (now.some((version) => version.state === 'confirmed')) throw keyConfirmed();
  const row = now.find((version) => version.keyVersion === keyVersion)?.firstWrite ?? null;
  // Both are written in one commit: a row that says something else than the record was put back, or turned.
  if (row === null || recorded === null || !isFirstWrite(recorded, row)) throw rowTurned(params);
  if (!isFirstWrite(recorded, params)) {
    throw new DomainError(
      'conflict',
      'first-write-already-signed',
      'The first write of this key version is signed, once and for all; make another version and begin anew.',
    );
  }
  await recordRepeat(use);
  return answer;
}

/** What the record has the digest of: both the session and the index that a first write was signed for. */
export function firstWriteClaim({ nvIndex, nonce }: FirstWrite): Uint8Array {
  return concat(nonce, u32(nvIndex));
}

/** Whether the record's digest is of this one. From before it covered the index as well, it is of the session alone. */
export function isFirstWrite(recorded: Uint8Array, claim: FirstWrite): boolean {
  return [sha256(firstWriteClaim(claim)), sha256(claim.nonce)].some((digest) => Buffer.compare(digest, recorded) === 0);
}

export function rowTurned({
  cardId,
  keyVersion,
}: {
  readonly cardId: string;
  readonly keyVersion: number;
}): DomainError {
  const detail = `The row of card ${cardId}, version ${keyVersion}, has another first write than the record.`;
  return new DomainError('internal', 'vault-blob-invalid', detail);
}
