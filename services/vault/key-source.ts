import { DomainError, Secret } from '@cardwright/protocol';
import { type Custody, withKey } from './custody.ts';
import { fleetKey } from './fleet-derivation.ts';
import type { KeyFacts, KeyRecord, KeySource, SealedKey } from './key-record.ts';
import type { KeyStore } from './ports.ts';
import { keyNotStored, keySuperseded } from './refusals.ts';
import { seal, unseal } from './sealing.ts';
import { openSecret } from './secret-seal.ts';

/** Seals a row whose key is elsewhere: what is sealed is where, so that a row turned to another secret does not open. */
export async function sealSource(
  { provider, random }: Custody,
  facts: KeyFacts,
  source: KeySource,
): Promise<SealedKey> {
  return seal(provider, random, facts, Secret.fromText(sourceText(source)));
}

/**
 * Opens the key of a row, wherever its bytes are, for one piece of work, and wipes it.
 * @throws DomainError `vault-blob-invalid` (internal); `administrator-key-not-stored`, `administrator-key-superseded`
 *   (conflict).
 */
export async function withCardKey<T>(
  custody: Custody,
  keys: Pick<KeyStore, 'findSecret'>,
  record: KeyRecord,
  work: (key: Uint8Array) => T,
): Promise<T> {
  const { source } = record;
  if (record.state === 'superseded') throw keySuperseded();
  if (record.succeeded)
    throw invalid(record, 'the record says that a later version took its place; its row was put back');
  if (source === null) return withKey(custody, record, work);
  await demandSealed(custody, record, source);
  const found = await keys.findSecret(source.secretId);
  if (found === undefined) {
    if (record.strategy === 'random-not-stored') throw keyNotStored();
    throw invalid(record, 'the secret that it comes from is not there');
  }
  const opened = await openSecret(custody, found);
  try {
    const { derivation, diversifier } = source;
    if (derivation === null || diversifier === null || record.algorithm === 'hmac-sha256') return opened.use(work);
    const { algorithm } = record;
    const key = opened.use((master) => Secret.take(fleetKey(master, derivation, algorithm, diversifier)));
    try {
      return key.use(work);
    } finally {
      key.wipe();
    }
  } finally {
    opened.wipe();
  }
}

async function demandSealed({ provider }: Custody, record: KeyRecord, source: KeySource): Promise<void> {
  const sealed = await unseal(provider, record, record);
  const same = sealed.use((bytes) => Buffer.from(bytes).toString('utf8') === sourceText(source));
  sealed.wipe();
  if (!same) throw invalid(record, 'its row names another secret than its seal');
}

function invalid({ cardId, keyVersion }: KeyRecord, why: string): DomainError {
  const detail = `The key of card ${cardId}, version ${keyVersion}, can't be had: ${why}`;
  return new DomainError('internal', 'vault-blob-invalid', detail);
}

function sourceText({ secretId, derivation, diversifier }: KeySource): string {
  return `${secretId}|${derivation ?? ''}|${diversifier === null ? '' : Buffer.from(diversifier).toString('hex')}`;
}
