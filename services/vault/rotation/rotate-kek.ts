import { DomainError, Secret } from '@cardwright/protocol';
import type { ManagedProvider } from '../provider.ts';
import type { Rotation, RotationResult } from './ports.ts';
import { isUnfinished, rewrapAll } from './rewrap-all.ts';

const KEK_BYTES = 32;

/**
 * A new KEK for everything. If an earlier run was interrupted, this completes that one instead.
 * @throws DomainError `vault-rotation-incomplete` (conflict), `recovery-file-missing` (unprocessable), and what the
 *   provider and the database throw.
 */
export async function rotateKek(rotation: Rotation): Promise<RotationResult> {
  const { keyring, keks, say } = rotation;
  if (isUnfinished(await keks.list())) {
    say('An earlier change of keys was interrupted: completing it.');
    const rewrapped = await rewrapAll(rotation);
    return { kekVersion: keyring.kekVersion, rewrapped, resumed: true };
  }
  const holder = keyring.holderOf(keyring.kekVersion);
  if (holder === undefined) throw new Error('a keyring without its active KEK');
  await activateNewKek(rotation, holder);
  const rewrapped = await rewrapAll(rotation);
  return { kekVersion: keyring.kekVersion, rewrapped, resumed: false };
}

/** Makes the next KEK in that provider, unless a run that was interrupted made it already, and calls it the active one. */
export async function activateNewKek(rotation: Rotation, provider: ManagedProvider): Promise<void> {
  const { keyring, keks, say } = rotation;
  const used = Math.max(0, ...(await keks.list()).map(({ version }) => version));
  let version = provider.kekVersions.find((each) => each > used);
  if (version === undefined) {
    // Of all providers: a version that another one holds must not come to be twice.
    version = Math.max(used, ...keyring.providers.flatMap(({ kekVersions }) => [...kekVersions])) + 1;
    await makeKek(rotation, provider, version);
  }
  await demandUsable(rotation, provider, version);
  rotation.stillOurTurn();
  await keks.activate(version, provider.name);
  await keyring.refresh();
  say(`KEK ${version} (${provider.name}) is the active one.`);
}

/** Before anything depends on it; it may be of a run that was killed while a token was making it. */
async function demandUsable({ random }: Rotation, provider: ManagedProvider, kekVersion: number): Promise<void> {
  const [probe, data] = [Secret.take(random(KEK_BYTES)), random(16)];
  const wrapped = await provider.wrapWith(kekVersion, probe, data);
  const opened = await provider.unwrap({ kekVersion, wrapped }, data);
  const same = probe.use((a) => opened.use((b) => Buffer.compare(a, b) === 0));
  probe.wipe();
  opened.wipe();
  if (!same)
    throw new DomainError('internal', 'vault-token-failed', `KEK ${kekVersion} does not open what it wrapped.`);
}

async function makeKek({ recovery, random }: Rotation, provider: ManagedProvider, version: number): Promise<void> {
  const { recoveryKey } = provider;
  if (recoveryKey === null) return provider.addKek(version);
  if (recovery === null) throw recoveryFileMissing();
  const key = Secret.take(random(KEK_BYTES));
  try {
    await recovery.add('kek', version, key, recoveryKey);
    await provider.addKek(version, key);
  } finally {
    key.wipe();
  }
}

export function recoveryFileMissing(): DomainError {
  return new DomainError(
    'unprocessable',
    'recovery-file-missing',
    'This vault has a recovery key, so a new key must go to the recovery file before it is used: set VAULT_RECOVERY_FILE ' +
      'to the file that was made at the ceremony.',
  );
}
