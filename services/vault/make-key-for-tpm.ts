import { DomainError, Secret } from '@cardwright/protocol';
import { parseStoragePublic, wrapAdministratorKey } from '@cardwright/protocol/tpm';
import { type Custody, HMAC_KEY_BYTES, newHmacKey, sealKey } from './custody.ts';
import type { KeyFacts, KeySource, SealedKey, SecretFacts } from './key-record.ts';
import { sealSource } from './key-source.ts';
import type { KeyForTpm, MakeKeyForTpm } from './operations.ts';
import type { KeyStore, SecretStore, Use } from './ports.ts';
import { keyConfirmed } from './refusals.ts';
import { sealSecret } from './secret-seal.ts';
import { uuidOf } from './uuid.ts';

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
  keys: KeyStore & Pick<SecretStore, 'addSecret'>,
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
    const { key, seedValue } = strategy === 'random-not-stored' ? randomKey(custody) : await newHmacKey(custody, draft);
    try {
      const wrapped = key.use((keyBytes) =>
        seedValue.use((seedBytes) =>
          wrapAdministratorKey({ key: keyBytes, seedValue: seedBytes, parent, random: custody.random }),
        ),
      );
      const facts: KeyFacts = { ...draft, kcv: null, tpmName: wrapped.name, pinLimit };
      const done = { ...use, keyVersion };
      const { blob, more } =
        strategy === 'random-not-stored'
          ? await keepUntilConfirmed(custody, keys, facts, key, use)
          : { blob: await sealKey(custody, facts, key), more: {} };
      if (await keys.add(facts, blob, 'proposed', done, more)) return { keyVersion, ...wrapped };
    } finally {
      key.wipe();
      seedValue.wipe();
    }
  }
  throw new DomainError('unavailable', 'administrator-key-busy', 'too many keys are being made for this card at once');
}

function randomKey({ random }: Custody): { key: Secret; seedValue: Secret } {
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
