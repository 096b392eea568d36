import { existsSync } from 'node:fs';
import { DomainError, isDomainError } from '@cardwright/protocol';
import type { FileSettings, ProviderSettings } from './config.env.ts';
import { type Keyring, openKeyring } from './keyring.ts';
import { newestKeys } from './keys.pg.ts';
import type { Database } from './pool.pg.ts';
import type { ManagedProvider } from './provider.ts';
import { createKeysFile, readVaultSecret } from './providers/keys.file.ts';
import { openProviders } from './providers/open.file.ts';
import { kekTable } from './rotation/keks.pg.ts';
import { unseal } from './sealing.ts';

/**
 * The keys of this vault, checked against the database.
 * @param init make first keys if there are none, and no key in the database that would need the lost ones.
 * @throws DomainError of the providers; `vault-keys-file-missing`, `vault-keys-of-another-vault`, `vault-kek-missing`,
 *   `vault-schema-missing`, `vault-token-empty` (unprocessable).
 */
export async function openVaultKeys(given: ProviderSettings, database: Database, init: boolean): Promise<Keyring> {
  const settings = (await wasMovedToToken(given, database)) ? { ...given, provider: 'pkcs11' as const } : given;
  const { provider, file } = settings;
  if (provider === 'file' && file !== null && !existsSync(file.keysFile)) await makeKeysFile(file, database, init);
  const providers = await openProviders(settings);
  try {
    const keks = kekTable(database);
    const [primary] = providers;
    if (primary.kekVersions.length === 0 && primary.name === 'pkcs11' && providers.length === 1) {
      await makeTokenKeys(primary, database, init);
    }
    await asMigrated(keks.registerFirst(primary.kekVersion, primary.name));
    const keyring = await openKeyring(providers, async () => (await keks.active()) ?? primary.kekVersion);
    await checkStoredKeys(keyring, database);
    return keyring;
  } catch (error) {
    for (const each of providers) await each.close();
    throw error;
  }
}

/**
 * A vault that dies at the end of a move, or just after it, starts again with the settings of before: until they are
 * changed, the database says where the keys are.
 */
async function wasMovedToToken({ provider, file, token }: ProviderSettings, database: Database): Promise<boolean> {
  if (provider !== 'file' || file === null || token === null || existsSync(file.keysFile)) return false;
  return (await asMigrated(kekTable(database).list())).some(
    (kek) => kek.state === 'active' && kek.provider === 'pkcs11',
  );
}

/** First keys may be made: the database knows of none that would be lost. @throws DomainError `vault-schema-missing`. */
export async function knowsKeys(database: Database): Promise<boolean> {
  if ((await asMigrated(newestKeys(database, 1))).length > 0) return true;
  const keks = kekTable(database);
  return (await asMigrated(keks.inUse())) || (await keks.list()).some(({ version }) => version > 1);
}

async function makeKeysFile({ keysFile, secretFile }: FileSettings, database: Database, init: boolean): Promise<void> {
  const missing = (detail: string) => new DomainError('unprocessable', 'vault-keys-file-missing', detail);
  if (await knowsKeys(database)) {
    throw missing(
      `${keysFile} is not there, but the database knows keys of this vault: restore it from a backup, recover it from its ` +
        'shares, or, if its keys were moved to a token, set VAULT_PROVIDER=pkcs11. New keys would open nothing.',
    );
  }
  if (!init) throw missing(`${keysFile} is not there; on the very first start give --init.`);
  const secret = await readVaultSecret(secretFile);
  try {
    await createKeysFile(keysFile, secret);
  } finally {
    secret.wipe();
  }
}

async function makeTokenKeys(token: ManagedProvider, database: Database, init: boolean): Promise<void> {
  const empty = (detail: string) => new DomainError('unprocessable', 'vault-token-empty', detail);
  if (!init) throw empty('The token holds no key-encryption key; on the very first start give --init.');
  if (await knowsKeys(database)) {
    throw empty(
      'The token holds no key-encryption key, but the database knows keys of this vault: is it another token?',
    );
  }
  await token.addMaster(1);
  await token.addImportKey();
  // The last one: with it the token counts as made.
  await token.addKek(1);
}

/**
 * Keys of another vault would be noticed only at the first answer, perhaps after new keys were sealed with them.
 * @throws DomainError `vault-keys-of-another-vault` (unprocessable).
 */
export async function checkStoredKeys(provider: Keyring, database: Database): Promise<void> {
  const records = await asMigrated(newestKeys(database, 16));
  for (const record of records) {
    try {
      (await unseal(provider, record, record)).wipe();
      return;
    } catch (error) {
      if (!isDomainError(error)) throw error;
    }
  }
  if (records.length > 0) {
    throw new DomainError(
      'unprocessable',
      'vault-keys-of-another-vault',
      'None of the newest keys in the database opens with the keys of this vault: one of the two belongs to another vault.',
    );
  }
}

async function asMigrated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    // SQLSTATE: undefined table, invalid schema name, insufficient privilege.
    if (!['42P01', '3F000', '42501'].includes((cause as { code?: string }).code ?? '')) throw cause;
    const detail = 'The database has no schema vault of this version: migrate it first.';
    throw new DomainError('unprocessable', 'vault-schema-missing', detail, { cause });
  }
}
