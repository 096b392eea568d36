import { createECDH } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DomainError, Secret } from '@cardwright/protocol';
import type { Person } from '../ceremony/person.tty.ts';
import { createRecoveryFile } from '../ceremony/recovery.file.ts';
import { joinShares, MAX_SHARES, makeShares } from '../ceremony/shares.ts';
import { withFaults } from '../faults.ts';
import { knowsKeys } from '../open-keys.pg.ts';
import { connectDatabase } from '../pool.pg.ts';
import type { RecoveryPublicKey } from '../provider.ts';
import { wipeKeyBundle } from '../providers/key-bundle.ts';
import { newKeyBundle } from '../providers/keys.file.ts';
import { emptyPlace } from './key-place.cli.ts';
import { type CommandContext, faultsOf } from './key-work.cli.ts';

export interface ShareCount {
  readonly shares: number;
  readonly threshold: number;
}

/**
 * `vault init --shares N --threshold M`: first keys, whose recovery key is shown in N shares, each once. Nothing is
 * written before all are shown: a ceremony that was broken off is begun anew, and its shares open nothing.
 * @throws DomainError `ceremony-shares-invalid`, `configuration-invalid` (unprocessable); `vault-keys-exist`,
 *   `vault-keys-file-exists`, `vault-token-not-empty`, `recovery-file-exists`, `ceremony-broken-off` (conflict).
 */
export async function initCommand(context: CommandContext, count: ShareCount, person: Person): Promise<void> {
  const { config, env, say } = context;
  const { shares, threshold } = count;
  if (!(threshold >= 2 && shares >= threshold && shares <= MAX_SHARES)) {
    const detail = `--threshold must be 2 or more, and --shares at least as many and at most ${MAX_SHARES}`;
    throw new DomainError('unprocessable', 'ceremony-shares-invalid', detail);
  }
  const { recoveryFile } = config;
  if (recoveryFile === null) throw noRecoveryFile();
  if (existsSync(recoveryFile)) {
    const detail = `${recoveryFile} is there already: it belongs to a vault, or to a ceremony that was broken off at its end.`;
    throw new DomainError('conflict', 'recovery-file-exists', detail);
  }
  await demandUnused(config.databaseUrl);
  const point = faultsOf(env);
  const place = withFaults(await emptyPlace(config), 'place', point, ['store']);
  const bundle = newKeyBundle();
  const pair = createECDH('prime256v1');
  const recoveryKey: RecoveryPublicKey = { point: Uint8Array.from(pair.generateKeys()), shares, threshold };
  const scalar = Secret.take(padded(pair.getPrivateKey()));
  try {
    await showShares(scalar, recoveryKey, withFaults(person, 'person', point, ['showOnce']));
    const keys = [
      ...[...bundle.keks].map(([version, key]) => ({ kind: 'kek', version, key }) as const),
      ...[...bundle.masters].map(([version, key]) => ({ kind: 'master', version, key }) as const),
      { kind: 'import-key', version: 1, key: bundle.importKey } as const,
    ];
    await createRecoveryFile(recoveryFile, recoveryKey, keys);
    point('recovery.created');
    await place.store({ ...bundle, recoveryKey });
  } finally {
    wipeKeyBundle(bundle);
    scalar.wipe();
    await place.close();
  }
  say(`Done. Any ${threshold} of the ${shares} shares recover the keys of this vault, with ${recoveryFile}.`);
  say('Keep a copy of that file with each backup of the database. Start the vault without --init.');
}

async function showShares(secret: Secret, key: RecoveryPublicKey, person: Person): Promise<void> {
  const shares = await makeShares(secret, key);
  // A set of shares that does not give the secret back would be noticed when it is too late.
  for (const some of [shares.slice(0, key.threshold), shares.slice(-key.threshold)]) {
    const joined = await joinShares(some.flat().join('\n'), key);
    const same = joined.use((a) => secret.use((b) => Buffer.compare(a, b) === 0));
    joined.wipe();
    if (!same)
      throw new DomainError('internal', 'vault-self-test-failed', 'The shares do not give the recovery key back.');
  }
  for (const [at, lines] of shares.entries()) {
    const head = `# Share ${at + 1} of ${shares.length}, of which ${key.threshold} are needed`;
    const shown = [head, ...lines, '# Write it down, let nobody else see it, then press Enter.'];
    if (await person.showOnce(shown)) continue;
    const detail = `Share ${at + 1} was not taken. Nothing was written; begin anew: these shares open nothing.`;
    throw new DomainError('conflict', 'ceremony-broken-off', detail);
  }
}

async function demandUnused(databaseUrl: string): Promise<void> {
  const database = connectDatabase(databaseUrl, () => undefined);
  try {
    if (!(await knowsKeys(database))) return;
    const detail =
      'The database knows keys of a vault already: new ones would open none of them. To bring lost keys back: vault recover.';
    throw new DomainError('conflict', 'vault-keys-exist', detail);
  } finally {
    await database.close();
  }
}

/** A scalar with leading zeros comes without them. */
function padded(scalar: Buffer): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(scalar, 32 - scalar.length);
  scalar.fill(0);
  return bytes;
}

export function noRecoveryFile(): DomainError {
  const detail = 'VAULT_RECOVERY_FILE must name the file that holds the keys, sealed to the recovery key.';
  return new DomainError('unprocessable', 'configuration-invalid', detail);
}
