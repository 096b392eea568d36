import { DomainError } from '@cardwright/protocol';
import { MAX_SUCCESSIONS, parseStoragePublic } from '@cardwright/protocol/tpm';
import { type Custody, newHmacKey, sealKey } from './custody.ts';
import type { KeyFacts, KeyRecord, Succession } from './key-record.ts';
import { sealSource, withCardKey } from './key-source.ts';
import { randomKey, tpmDraft, wrapForTpm } from './make-key-for-tpm.ts';
import { confirmedOf, makeNextVersion } from './next-version.ts';
import type { ProposedSuccessor, ProposeSuccessor } from './operations.ts';
import type { KeyStore, Use } from './ports.ts';
import { isFirstWrite, rowTurned } from './sign-first-write.ts';
import { foundingIndex, rehearsal, succession, tpmFacts } from './tpm-answers.ts';
import { uuidOf } from './uuid.ts';

/**
 * See VaultClient.proposeSuccessor. The approval is worth as much as the key that it is for: so that key is wrapped to the
 * storage key that the card's own key was wrapped to, and to no other, whoever asks. What says which one that was is bound
 * by the seal of the confirmed key, and unsealing it is what gives the approval.
 */
export async function proposeSuccessor(
  custody: Custody,
  keys: KeyStore,
  params: ProposeSuccessor,
  use: Use,
): Promise<ProposedSuccessor> {
  const parent = parseStoragePublic(params.parentPublic);
  const { cardId, strategy } = params;
  return makeNextVersion(keys, cardId, async (keyVersion, versions) => {
    const current = confirmedOf(versions);
    const { name: foundingName, pinLimit } = tpmFacts(current);
    demandParent(current, parent.name);
    const founded: Succession = {
      generation: nextGeneration(current),
      foundingName,
      nvIndex: await demandIndex(keys, current),
    };
    const draft = tpmDraft(custody, { cardId, keyVersion, strategy });
    const { key, seedValue } = strategy === 'random-not-stored' ? randomKey(custody) : await newHmacKey(custody, draft);
    try {
      const wrapped = wrapForTpm(custody, parent, key, seedValue);
      const approval = await withCardKey(custody, keys, current, (bytes) => succession(bytes, wrapped.name));
      const facts: KeyFacts = {
        ...draft,
        kcv: null,
        tpmName: wrapped.name,
        pinLimit,
        parentName: parent.name,
        lineage: { predecessor: current.keyVersion, succession: founded },
      };
      // It signs its rehearsal here and nothing later: by the strategy random-not-stored it is not kept at all.
      const source = { secretId: uuidOf(custody.random(16)), derivation: null, diversifier: null };
      const { blob, more } =
        strategy === 'random-not-stored'
          ? { blob: await sealSource(custody, facts, source), more: { source } }
          : { blob: await sealKey(custody, facts, key), more: {} };
      if (!(await keys.add(facts, blob, 'proposed', { ...use, keyVersion }, more))) return undefined;
      return { keyVersion, ...wrapped, approval, rehearsal: key.use(rehearsal) };
    } finally {
      key.wipe();
      seedValue.wipe();
    }
  });
}

function demandParent({ parentName }: KeyRecord, given: Uint8Array): void {
  if (parentName === null) {
    throw new DomainError(
      'conflict',
      'tpm-parent-unknown',
      'The key of this card was made before the vault kept to which TPM it was wrapped; the card is reissued instead.',
    );
  }
  if (Buffer.compare(parentName, given) === 0) return;
  throw new DomainError(
    'unprocessable',
    'tpm-parent-of-another-device',
    'The successor of a key is wrapped to the very storage key that the key itself was wrapped to, and this is another one.',
  );
}

function nextGeneration({ lineage }: KeyRecord): number {
  const generation = (lineage?.succession?.generation ?? 0) + 1;
  if (generation <= MAX_SUCCESSIONS) return generation;
  throw new DomainError(
    'conflict',
    'too-many-successions',
    `The key of a card in a TPM is changed ${MAX_SUCCESSIONS} times at most; reissue the card.`,
  );
}

/**
 * The index of a founding key stands in its row, which has no seal over it; it becomes part of the successor's seal. So it
 * is held against the record first: a row that was turned to another index would take its card out of reach for ever.
 */
async function demandIndex(keys: KeyStore, current: KeyRecord): Promise<number> {
  const { cardId, keyVersion, firstWrite, lineage } = current;
  const nvIndex = foundingIndex(current);
  if (lineage === null) {
    const recorded = await keys.recordedFirstWrite(cardId, keyVersion);
    if (firstWrite === null || recorded === undefined || !isFirstWrite(recorded, firstWrite)) throw rowTurned(current);
  }
  if (nvIndex === undefined) throw rowTurned(current);
  return nvIndex;
}
