import { join } from 'node:path';
import { withKey } from '../../services/vault/dist/custody.js';
import type { KeyRecord } from '../../services/vault/dist/key-record.js';
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
  const rows = await system.query('select * from vault.administrator_keys');
  const keys: { cardId: string; key: Buffer }[] = [];
  for (const row of rows) {
    const record: KeyRecord = {
      ...{ cardId: row.card_id, keyVersion: row.key_version, algorithm: row.algorithm, strategy: row.strategy },
      ...{ masterVersion: row.master_version, kcv: row.kcv, tpmName: row.tpm_name, pinLimit: row.pin_limit },
      ...{ kekVersion: row.kek_version, sealed: row.sealed, state: row.state },
      ...{ firstWrite: null, createdAt: row.created_at, source: null },
    };
    keys.push({ cardId: row.card_id, key: await withKey({ provider, random }, record, (key) => Buffer.from(key)) });
  }
  return keys;
}
