import { parseStoragePublic, wrapSealedData } from '@cardwright/protocol/tpm';
import { keyCheckValue } from './challenge-response.ts';
import { type Custody, newCardKey, sealKey } from './custody.ts';
import type { KeyFacts } from './key-record.ts';
import { confirmedOf, makeNextVersion } from './next-version.ts';
import type { ProposedReplacement, ProposeReplacement } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { wrongAlgorithm } from './refusals.ts';

/**
 * See VaultClient.proposeReplacement. The device has to write the key into the card, so its TPM gives the bytes to whoever
 * is root there, for that moment; cms, which carries them, does not see them. Not guaranteed: that the storage key is one of
 * a TPM, and of the device that has the card. Whoever can name it learns the new key of this card.
 */
export async function proposeReplacement(
  custody: Custody,
  keys: KeyStore,
  params: ProposeReplacement,
  use: Use,
): Promise<ProposedReplacement> {
  const parent = parseStoragePublic(params.parentPublic);
  const { cardId, strategy } = params;
  return makeNextVersion(keys, cardId, async (keyVersion, versions) => {
    const current = confirmedOf(versions);
    if (current.algorithm === 'hmac-sha256') {
      throw wrongAlgorithm('A card in a TPM is given a successor of its key, which its TPM takes in: propose that.');
    }
    const algorithm = params.algorithm ?? current.algorithm;
    const masterVersion = strategy === 'deterministic' ? custody.provider.masterVersion : null;
    const draft = { cardId, keyVersion, algorithm, strategy, masterVersion } as const;
    const key = await newCardKey(custody, draft);
    const seedValue = custody.random(32);
    try {
      const { kcv, wrapped } = key.use((bytes) => ({
        kcv: keyCheckValue(bytes, algorithm),
        wrapped: wrapSealedData({ data: bytes, seedValue, parent, random: custody.random }),
      }));
      const facts: KeyFacts = {
        ...draft,
        kcv,
        tpmName: null,
        pinLimit: null,
        parentName: parent.name,
        lineage: { predecessor: current.keyVersion, succession: null },
      };
      const stored = await keys.add(facts, await sealKey(custody, facts, key), 'proposed', { ...use, keyVersion });
      return stored ? { keyVersion, algorithm, kcv, ...wrapped } : undefined;
    } finally {
      key.wipe();
      seedValue.fill(0);
    }
  });
}
