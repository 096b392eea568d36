import { DomainError } from '@cardwright/protocol';
import type { ConfirmKey } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { keyConfirmed, keyUnknown } from './refusals.ts';

/** See VaultClient.confirmKey. */
export async function confirmKey(
  keys: KeyStore,
  { cardId, keyVersion }: ConfirmKey,
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<void> {
  if (await keys.confirm(cardId, keyVersion, use)) return;
  const versions = await keys.list(cardId);
  const asked = versions.find((version) => version.keyVersion === keyVersion);
  if (asked === undefined) throw keyUnknown();
  if (asked.state === 'confirmed' && asked.lineage === null) return recordRepeat(use);
  if (versions.some((version) => version.state === 'confirmed')) throw keyConfirmed();
  throw new DomainError(
    'conflict',
    'first-write-not-signed',
    'This version of the key has signed no first write, so no card can have it.',
  );
}
