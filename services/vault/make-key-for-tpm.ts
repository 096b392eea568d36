import { Secret } from '@cardwright/protocol';
import {
  parseStoragePublic,
  type StorageParent,
  type WrappedKey,
  wrapAdministratorKey,
} from '@cardwright/protocol/tpm';
import { type Custody, HMAC_KEY_BYTES, newHmacKey, sealKey } from './custody.ts';
import type { KeyFacts, KeySource, SealedKey, SecretFacts } from './key-record.ts';
import { sealSource } from './key-source.ts';
import { makeNextVersion } from './next-version.ts';
import type { KeyForTpm, MakeKeyForTpm, TpmStrategy } from './operations.ts';
import type { KeyStore, SecretStore, Use } from './ports.ts';
import { keyConfirmed } from './refusals.ts';
import { sealSecret } from './secret-seal.ts';
import { uuidOf } from './uuid.ts';

/**
 * See VaultClient.makeKeyForTpm. Making and wrapping are one act, and there is no other that wraps: so a key that is or
 * may be on a card is never wrapped to a parent that somebody names later.
 */
export async function makeKeyForTpm(
  custody: Custody,
  keys: KeyStore & Pick<SecretStore, 'addSecret'>,
  params: MakeKeyForTpm,
  use: Use,
): Promise<KeyForTpm> {
  const parent = parseStoragePublic(params.parentPublic);
  const { cardId, strategy, pinLimit } = params;
  return makeNextVersion(keys, cardId, async (keyVersion, versions) => {
    if (versions.some((version) => version.state !== 'proposed')) throw keyConfirmed();
    const draft = tpmDraft(custody, { cardId, keyVersion, strategy });
    const { key, seedValue } = strategy === 'random-not-stored' ? randomKey(custody) : await newHmacKey(custody, draft);
    try {
      const wrapped = wrapForTpm(custody, parent, key, seedValue);
      const facts: KeyFacts = {
        ...draft,
        kcv: null,
        tpmName: wrapped.name,
        pinLimit,
        parentName: parent.name,
        lineage: null,
      };
      const done = { ...use, keyVersion };
      const { blob, more } =
        strategy === 'random-not-stored'
          ? await keepUntilConfirmed(custody, keys, facts, key, use)
          : { blob: await sealKey(custody, facts, key), more: {} };
      return (await keys.add(facts, blob, 'proposed', done, more)) ? { keyVersion, ...wrapped } : undefined;
    } finally {
      key.wipe();
      seedValue.wipe();
    }
  });
}

export function tpmDraft(
  { provider }: Custody,
  of: { readonly cardId: string; readonly keyVersion: number; readonly strategy: TpmStrategy },
) {
  const masterVersion = of.strategy === 'deterministic' ? provider.masterVersion : null;
  return { ...of, algorithm: 'hmac-sha256', masterVersion } as const;
}

export function wrapForTpm({ random }: Custody, parent: StorageParent, key: Secret, seedValue: Secret): WrappedKey {
  return key.use((keyBytes) =>
    seedValue.use((seedBytes) => wrapAdministratorKey({ key: keyBytes, seedValue: seedBytes, parent, random })),
  );
}

export function randomKey({ random }: Custody): { key: Secret; seedValue: Secret } {
  return { key: Secret.take(random(HMAC_KEY_BYTES)), seedValue: Secret.take(random(HMAC_KEY_BYTES)) };
}

/**
 * The strategy random-not-stored: the key has to sign the first write of its card, which may come again after a lost reply
 * or a crash. So it is kept, sealed, until the card is confirmed; the database drops it in the transaction that confirms.
 */
async function keepUntilConfirmed(
  custody: Custody,
  keys: Pick<SecretStore, 'addSecret'>,
  facts: KeyFacts,
  key: Secret,
  use: Use,
): Promise<{ blob: SealedKey; more: { source: KeySource } }> {
  const id = uuidOf(custody.random(16));
  const { cardId } = facts;
  const secret: SecretFacts = { id, kind: 'transient-key', name: id, cardId, algorithm: null, kcv: null };
  await keys.addSecret(secret, await sealSecret(custody, secret, key), { ...use, operation: 'transient-key.add' });
  const source = { secretId: id, derivation: null, diversifier: null };
  return { blob: await sealSource(custody, facts, source), more: { source } };
}
