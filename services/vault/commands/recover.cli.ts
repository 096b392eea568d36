import { DomainError, type Secret } from '@cardwright/protocol';
import type { Person } from '../ceremony/person.tty.ts';
import { openRecoveryFile, type RecoveredKey, recoveryPrivateKey } from '../ceremony/recovery.file.ts';
import { joinShares, SHARE_LINES } from '../ceremony/shares.ts';
import { openKeyring } from '../keyring.ts';
import { checkStoredKeys } from '../open-keys.pg.ts';
import { connectDatabase } from '../pool.pg.ts';
import type { RecoveryPublicKey } from '../provider.ts';
import { fileProvider } from '../providers/file-provider.ts';
import { decodeKeyBundle, encodeKeyBundle, type KeyBundle } from '../providers/key-bundle.ts';
import { kekTable } from '../rotation/keks.pg.ts';
import { noRecoveryFile } from './init.cli.ts';
import { emptyPlace } from './key-place.cli.ts';
import type { CommandContext } from './key-work.cli.ts';

const MAX_CHARACTERS = 20_000;

/**
 * `vault recover [--check]`: the keys of the recovery file, with enough shares, into the configured provider, which must
 * hold nothing. With --check nothing is written: a rehearsal.
 * @throws DomainError `recovery-share-mistyped`, `recovery-share-unknown`, `recovery-share-repeated`,
 *   `recovery-shares-mixed`, `recovery-shares-too-few`, `recovery-shares-wrong`, `recovery-file-missing`,
 *   `recovery-file-invalid`, `vault-keys-of-another-vault` (unprocessable); `vault-keys-file-exists`,
 *   `vault-token-not-empty` (conflict).
 */
export async function recoverCommand(context: CommandContext, checkOnly: boolean, person: Person): Promise<void> {
  const { config, say } = context;
  if (config.recoveryFile === null) throw noRecoveryFile();
  const file = await openRecoveryFile(config.recoveryFile);
  const { threshold, shares } = file.recoveryKey;
  const place = checkOnly ? undefined : await emptyPlace(config);
  let bundle: KeyBundle | undefined;
  try {
    say(`Type ${threshold} of the ${shares} shares, ${SHARE_LINES} lines each, then a line with a full stop.`);
    const scalar = await joinShares(await person.readAll(MAX_CHARACTERS), file.recoveryKey);
    bundle = toBundle(await openWith(file, scalar), file.recoveryKey);
    await demandFits(bundle, config.databaseUrl);
    await place?.store(bundle);
  } finally {
    if (bundle !== undefined) wipe(bundle);
    await place?.close();
  }
  const versions = `KEK ${[...bundle.keks.keys()].join(', ')}; master secret ${[...bundle.masters.keys()].join(', ')}`;
  say(checkOnly ? `These shares recover the vault (${versions}). Nothing was written.` : `Recovered: ${versions}.`);
}

async function openWith(file: Awaited<ReturnType<typeof openRecoveryFile>>, scalar: Secret) {
  try {
    const privateKey = scalar.use((bytes) => recoveryPrivateKey(bytes, file.recoveryKey.point));
    if (privateKey !== undefined) return await file.open(privateKey);
  } finally {
    scalar.wipe();
  }
  throw new DomainError(
    'unprocessable',
    'recovery-shares-wrong',
    'These shares do not give the recovery key: at least one was changed, though its check characters fit.',
  );
}

function toBundle(keys: readonly RecoveredKey[], recoveryKey: RecoveryPublicKey): KeyBundle {
  const of = (kind: RecoveredKey['kind']) =>
    new Map(keys.flatMap((each) => (each.kind === kind ? [[each.version, each.key] as const] : [])));
  const importKey = keys.find(({ kind }) => kind === 'import-key')?.key;
  const [keks, masters] = [of('kek'), of('master')];
  if (importKey === undefined || keks.size === 0 || masters.size === 0) {
    throw new DomainError(
      'unprocessable',
      'recovery-file-invalid',
      'The recovery file does not hold all kinds of keys.',
    );
  }
  return { keks, masters, importKey, recoveryKey };
}

/** Before anything is written: with these keys the database opens. */
async function demandFits(bundle: KeyBundle, databaseUrl: string): Promise<void> {
  const encoded = encodeKeyBundle(bundle);
  const provider = await fileProvider(decodeKeyBundle(encoded));
  encoded.wipe();
  const database = connectDatabase(databaseUrl, () => undefined);
  try {
    const keks = kekTable(database);
    const keyring = await openKeyring([provider], async () => (await keks.active()) ?? provider.kekVersion);
    await checkStoredKeys(keyring, database);
  } finally {
    await provider.close();
    await database.close();
  }
}

function wipe({ keks, masters, importKey }: KeyBundle): void {
  for (const key of [...keks.values(), ...masters.values(), importKey]) key.wipe();
}
