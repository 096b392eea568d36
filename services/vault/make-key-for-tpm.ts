import { DomainError } from '@cardwright/protocol';
import { parseStoragePublic, wrapAdministratorKey } from '@cardwright/protocol/tpm';
import { type Custody, newHmacKey, sealKey } from './custody.ts';
import type { KeyFacts } from './key-record.ts';
import type { KeyForTpm, MakeKeyForTpm } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { keyConfirmed } from './refusals.ts';

/** A card that needs more tries than this to be made is not made by trying again. */
const MAX_VERSIONS = 1000;
/** Calls at the same moment take the same version; all but one look again. */
const MAX_ATTEMPTS = 64;

/**
 * See VaultClient.makeKeyForTpm. Making and wrapping are one act, and there is no other that wraps: so a key that is or
 * may be on a card is never wrapped to a parent that somebody names later.
 */
export async function makeKeyForTpm(
  custody: Custody,
  keys: KeyStore,
  params: MakeKeyForTpm,
  use: Use,
): Promise<KeyForTpm> {
  const parent = parseStoragePublic(params.parentPublic);
  const { cardId, strategy, pinLimit } = params;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const versions = await keys.list(cardId);
    if (versions.some((version) => version.state === 'confirmed')) throw keyConfirmed();
    const keyVersion = (versions.at(-1)?.keyVersion ?? 0) + 1;
    if (keyVersion > MAX_VERSIONS) {
      throw new DomainError(
        'too-many',
        'administrator-key-versions',
        `a card has at most ${MAX_VERSIONS} key versions`,
      );
    }
    const draft = {
      cardId,
      keyVersion,
      algorithm: 'hmac-sha256',
      strategy,
      masterVersion: strategy === 'deterministic' ? custody.provider.masterVersion : null,
    } as const;
    const { key, seedValue } = await newHmacKey(custody, draft);
    try {
      const wrapped = key.use((keyBytes) =>
        seedValue.use((seedBytes) =>
          wrapAdministratorKey({ key: keyBytes, seedValue: seedBytes, parent, random: custody.random }),
        ),
      );
      const facts: KeyFacts = { ...draft, kcv: null, tpmName: wrapped.name, pinLimit };
      const blob = await sealKey(custody, facts, key);
      if (await keys.add(facts, blob, 'proposed', { ...use, keyVersion })) return { keyVersion, ...wrapped };
    } finally {
      key.wipe();
      seedValue.wipe();
    }
  }
  throw new DomainError('unavailable', 'administrator-key-busy', 'too many keys are being made for this card at once');
}
