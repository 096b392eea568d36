import { DomainError, type Secret } from '@cardwright/protocol';
import type { ManagedProvider, ProviderName } from '../provider.ts';
import type { Rotation, RotationResult } from './ports.ts';
import { rewrapAll } from './rewrap-all.ts';
import { activateNewKek, recoveryFileMissing } from './rotate-kek.ts';

export interface MovePorts extends Rotation {
  /** The master secrets that something depends on, and how many keys of cards are derived from each. */
  mastersInUse(): Promise<ReadonlyMap<number, number>>;
}

/**
 * Moves everything to another provider: its master secrets and its import key are copied there if they can be, a KEK is
 * made there, all is re-wrapped, and what the provider before holds is destroyed. Until then both hold what is needed, so
 * that a crash at any point loses nothing; the same command goes on.
 * @throws DomainError `configuration-invalid` (unprocessable): that provider is not open;
 *   `vault-master-secret-not-extractable` (conflict); else as rotateKek.
 */
export async function moveProvider(move: MovePorts, to: ProviderName): Promise<RotationResult> {
  const { keyring, say } = move;
  const target = keyring.providers.find(({ name }) => name === to);
  if (target === undefined) {
    const detail = `The provider ${to} is not open: set its variables, beside those of the present one.`;
    throw new DomainError('unprocessable', 'configuration-invalid', detail);
  }
  const sources = keyring.providers.filter((each) => each !== target);
  await demandMasters(move, target, sources);
  let rewrapped = await rewrapAll(move);
  const begin = keyring.holderOf(keyring.kekVersion) !== target;
  if (begin) {
    for (const source of sources) await copyKeys(move, source, target);
    await activateNewKek(move, target);
    rewrapped += await rewrapAll(move);
  }
  await demandMasters(move, target, sources);
  for (const source of sources) {
    move.stillOurTurn();
    await source.dispose();
    say(`The provider ${source.name} holds nothing any more.`);
  }
  return { kekVersion: keyring.kekVersion, rewrapped, resumed: !begin };
}

/** No key that is derived from a master secret may lose it. */
async function demandMasters(
  { mastersInUse }: MovePorts,
  target: ManagedProvider,
  sources: readonly ManagedProvider[],
): Promise<void> {
  for (const [version, count] of await mastersInUse()) {
    if (target.masterVersions.includes(version)) continue;
    const source = sources.find(({ masterVersions }) => masterVersions.includes(version));
    if (source?.extract !== undefined) continue;
    throw new DomainError(
      'conflict',
      'vault-master-secret-not-extractable',
      `The vault's record is signed with a key derived from master secret ${version}, and so are the keys of ${count} cards. ` +
        `That secret can't leave ${source?.name ?? 'its provider'}, so it would be lost, and was not touched. If there was a ` +
        'key ceremony, recover the keys from its shares into a new keys file (vault recover); else stay with the token.',
      { data: { masterVersion: version, cards: count } },
    );
  }
}

async function copyKeys(move: MovePorts, source: ManagedProvider, target: ManagedProvider): Promise<void> {
  const { recovery, say } = move;
  const { extract, recoveryKey } = source;
  if (recoveryKey !== null && target.recoveryKey === null) {
    if (recovery === null) throw recoveryFileMissing();
    await target.setRecoveryKey(recoveryKey);
  }
  if (extract === undefined) {
    if (target.masterVersions.length > 0) return;
    await target.addMaster(source.masterVersion + 1);
    return target.addImportKey();
  }
  for (const version of source.masterVersions) {
    await target.addMaster(version, extract.master(version));
    await demandSame(move, version, source, target);
  }
  await target.addImportKey(extract.importKey());
  say(`The provider ${target.name} has the master secrets ${source.masterVersions.join(', ')}.`);
}

/** Before the original is destroyed: the copy derives the same. */
async function demandSame(
  { random }: MovePorts,
  version: number,
  source: ManagedProvider,
  target: ManagedProvider,
): Promise<void> {
  const probe = random(32);
  const derived = await Promise.all([source, target].map((each) => each.derive(version, probe, 32)));
  const hex = derived.map((key: Secret) => key.use((bytes) => Buffer.from(bytes).toString('hex')));
  for (const key of derived) key.wipe();
  if (hex[0] === hex[1]) return;
  throw new DomainError(
    'conflict',
    'vault-master-secret-differs',
    `The provider ${target.name} has another master secret ${version} than ${source.name}: it belongs to another vault. ` +
      'Nothing was changed.',
  );
}
