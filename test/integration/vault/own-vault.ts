import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

/** A vault of a test file's own: its database, its files, and one process that serves. */
export interface OwnVault {
  readonly database: TestDatabase;
  readonly files: VaultFiles;
  readonly vault: VaultProcess;
  readonly client: VaultProcess['client'];
  end(): Promise<void>;
}

export async function ownVault(): Promise<OwnVault> {
  const database = await testDatabase();
  const files = vaultFiles();
  const end = async (vault?: VaultProcess) => {
    await vault?.stop();
    files.remove();
    await database.drop();
  };
  try {
    const vault = await startVault(files, database.urls.vault);
    return { database, files, vault, client: vault.client, end: () => end(vault) };
  } catch (error) {
    await end();
    throw error;
  }
}
