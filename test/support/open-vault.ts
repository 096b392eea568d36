import { join } from 'node:path';
import { withKey } from '../../services/vault/dist/custody.js';
import { newestKeys } from '../../services/vault/dist/keys.pg.js';
import { connectDatabase } from '../../services/vault/dist/pool.pg.js';
import { fileProvider } from '../../services/vault/dist/providers/file-provider.js';
import { readKeysFile, readVaultSecret } from '../../services/vault/dist/providers/keys.file.js';
import type { TestSystem } from './system.ts';

/**
 * Every administrator key there is, in clear: what only the vault process can have. A test needs them to look for them
 * where they must not be. Uses the vault's own code with the vault's own files, as root on the vault's host could.
 */
export async function administratorKeys(system: TestSystem): Promise<{ cardId: string; key: Buffer }[]> {
  const secret = await readVaultSecret(join(system.data.secrets, 'vault-passphrase'));
  const provider = await fileProvider(await readKeysFile(join(system.data.vault, 'keys.json'), secret));
  const random = () => {
    throw new Error('opening needs no randomness');
  };
  const database = connectDatabase(system.database.urls.vault, (error) => {
    throw error;
  });
  try {
    const records = await newestKeys(database, 10_000);
    const keys: { cardId: string; key: Buffer }[] = [];
    for (const record of records) {
      const key = await withKey({ provider, random }, record, (bytes) => Buffer.from(bytes));
      keys.push({ cardId: record.cardId, key });
    }
    return keys;
  } finally {
    await database.close();
  }
}
