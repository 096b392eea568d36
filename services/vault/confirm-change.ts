import { DomainError, isDomainError } from '@cardwright/protocol';
import { keyCheckValue } from './challenge-response.ts';
import type { Custody } from './custody.ts';
import type { KeyRecord } from './key-record.ts';
import { withCardKey } from './key-source.ts';
import type { ConfirmChange } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { keySuperseded, keyUnknown } from './refusals.ts';

/**
 * See VaultClient.confirmChange. The bytes of the key before are destroyed by it, so this one must be at hand: it is opened
 * first. That the card has it is what the caller says.
 */
export async function confirmChange(
  custody: Custody,
  keys: KeyStore,
  { cardId, keyVersion }: ConfirmChange,
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<void> {
  const asked = await keys.find(cardId, keyVersion);
  if (asked === undefined) throw keyUnknown();
  if (asked.state === 'superseded') throw keySuperseded();
  if (asked.lineage === null) throw notProposed();
  await demandAtHand(custody, keys, asked);
  if (await keys.confirmChange(cardId, keyVersion, use)) return;
  const now = await keys.find(cardId, keyVersion);
  if (now?.state === 'confirmed') return recordRepeat(use);
  if (now?.state === 'superseded') throw keySuperseded();
  throw notProposed();
}

async function demandAtHand(custody: Custody, keys: KeyStore, record: KeyRecord): Promise<void> {
  const { algorithm, kcv } = record;
  let found: string | null;
  try {
    found = await withCardKey(custody, keys, record, (key) =>
      algorithm === 'hmac-sha256' ? null : keyCheckValue(key, algorithm),
    );
  } catch (error) {
    // By its strategy it is kept nowhere, and its row is whole.
    if (isDomainError(error) && error.code === 'administrator-key-not-stored') return;
    throw error;
  }
  if (found === kcv) return;
  throw new DomainError('internal', 'vault-blob-invalid', 'The proposed key has another check value than its row.');
}

function notProposed(): DomainError {
  return new DomainError(
    'conflict',
    'administrator-key-not-proposed',
    'This version was not made to follow the one that the card has; propose one, and confirm that.',
  );
}
