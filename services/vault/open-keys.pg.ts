import { existsSync } from 'node:fs';
import { DomainError, isDomainError } from '@cardwright/protocol';
import type { ProviderSettings } from './config.env.ts';
import { type Keyring, openKeyring } from './keyring.ts';
import { newestKeys } from './keys.pg.ts';
import type { Database } from './pool.pg.ts';
import { createKeysFile, readVaultSecret } from './providers/keys.file.ts';
import { openProviders } from './providers/open.file.ts';
import { kekTable } from './rotation/keks.pg.ts';
import { unseal } from './sealing.ts';

/**
 * The keys of this vault, checked against the database.
 * @param init make first keys if there are none, and no key in the database that would need the lost ones.
 * @throws DomainError of the providers; `vault-keys-file-missing`, `vault-keys-of-another-vault`, `vault-kek-missing`,
 *   `vault-schema-missing` (unprocessable).
 */
export async function openVaultKeys(settings: ProviderSettings, database: Database, init: boolean): Promise<Keyring> {
  await makeFirstKeys(settings, database, init);
  const providers = await openProviders(settings);
  try {
    const keks = kekTable(database);
    const [primary] = providers;
    await asMigrated(keks.registerFirst(primary.kekVersion, primary.name));
    const keyring = await openKeyring(providers, async () => (await keks.active()) ?? primary.kekVersion);
    await checkStoredKeys(keyring, database);
    return keyring;
  } catch (error) {
    for (const each of providers) await each.close();
    throw error;
  }
}

async function makeFirstKeys({ provider, file }: ProviderSettings, database: Database, init: boolean): Promise<void> {
  if (provider !== 'file' || file === null || existsSync(file.keysFile)) return;
  const missing = (detail: string) => new DomainError('unprocessable', 'vault-keys-file-missing', detail);
  if (!init) throw missing(`${file.keysFile} is not there; on the very first start give --init`);
  if (await hasStoredKeys(database)) {
    throw missing(
      `${file.keysFile} is not there, but the database holds keys that were sealed with it: restore it from a backup, or ` +
        'recover it from its shares. New keys would open none of them',
    );
  }
  const secret = await readVaultSecret(file.secretFile);
  try {
    await createKeysFile(file.keysFile, secret);
  } finally {
    secret.wipe();
  }
}

/** That first keys may be made: nothing in the database would need lost ones. @throws DomainError `vault-schema-missing`. */
export async function hasStoredKeys(database: Database): Promise<boolean> {
  return (await asMigrated(newestKeys(database, 1))).length > 0;
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
      'none of the newest keys in the database opens with the keys of this vault: one of the two belongs to another vault',
    );
  }
}

async function asMigrated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    // SQLSTATE: undefined table, invalid schema name, insufficient privilege.
    if (!['42P01', '3F000', '42501'].includes((cause as { code?: string }).code ?? '')) throw cause;
    const detail = 'the database has no schema vault of this version: migrate it first';
    throw new DomainError('unprocessable', 'vault-schema-missing', detail, { cause });
  }
}
