import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { serveLink } from '@cardwright/link';
import { DomainError, isDomainError } from '@cardwright/protocol';
import type { VaultConfig } from './config.env.ts';
import type { Custody } from './custody.ts';
import { vaultHandlers } from './handlers.ts';
import { keyStore, newestKeys } from './keys.pg.ts';
import { connectDatabase, type Database } from './pool.pg.ts';
import { fileProvider } from './providers/file-provider.ts';
import { createKeysFile, readKeysFile, readVaultSecret } from './providers/keys.file.ts';
import { unseal } from './sealing.ts';
import { selfTest } from './self-test.ts';
import { useRecord } from './uses.pg.ts';

export interface StartOptions extends VaultConfig {
  /** Make the keys file if there is none, and no key in the database that would need the lost one. */
  readonly init: boolean;
  /** What is no refusal: for the log. Never holds a key. */
  readonly onError: (error: unknown, operation: string) => void;
}

export interface RunningVault {
  /** Answers what it has begun, then lets go of the socket, the database and the keys. */
  close(): Promise<void>;
}

/** Wires the vault and serves it. Whatever is wrong shows here, before the socket is there. */
export async function startVault(options: StartOptions): Promise<RunningVault> {
  const database = connectDatabase(options.databaseUrl, (error) => options.onError(error, 'database'));
  try {
    const custody: Custody = { provider: await openProvider(options, database), random };
    try {
      await selfTest(custody.provider, random);
      await checkStoredKeys(custody, database);
      const server = await serveLink({
        socketPath: options.socketPath,
        handlers: vaultHandlers(custody, keyStore(database), useRecord(database)),
        onError: options.onError,
      });
      return {
        async close() {
          await server.close();
          await database.close();
          await custody.provider.close();
        },
      };
    } catch (error) {
      await custody.provider.close();
      throw error;
    }
  } catch (error) {
    await database.close();
    throw error;
  }
}

function random(count: number): Uint8Array {
  // Not a view of Node's shared pool: these bytes may be a key, and are wiped.
  return Uint8Array.from(randomBytes(count));
}

async function openProvider(options: StartOptions, database: Database): Promise<Custody['provider']> {
  const secret = await readVaultSecret(options.secretFile);
  try {
    if (!existsSync(options.keysFile)) await initialise(options, database, secret);
    return await fileProvider(await readKeysFile(options.keysFile, secret));
  } finally {
    secret.wipe();
  }
}

async function initialise(options: StartOptions, database: Database, secret: Parameters<typeof createKeysFile>[1]) {
  const missing = (detail: string) => new DomainError('unprocessable', 'vault-keys-file-missing', detail);
  if (!options.init) throw missing(`${options.keysFile} is not there; on the very first start give --init`);
  if ((await storedKeys(database, 1)).length > 0) {
    throw missing(
      `${options.keysFile} is not there, but the database holds keys that were sealed with it: restore it from a backup. ` +
        'New keys would open none of them',
    );
  }
  await createKeysFile(options.keysFile, secret);
}

/** A keys file of another vault would be noticed only at the first answer, perhaps after new keys were sealed with it. */
async function checkStoredKeys({ provider }: Custody, database: Database): Promise<void> {
  const records = await storedKeys(database, 16);
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
      'none of the newest keys in the database opens with the keys file: one of the two belongs to another vault',
    );
  }
}

async function storedKeys(database: Database, count: number) {
  try {
    return await newestKeys(database, count);
  } catch (cause) {
    // SQLSTATE: undefined table, invalid schema name, insufficient privilege.
    if (!['42P01', '3F000', '42501'].includes((cause as { code?: string }).code ?? '')) throw cause;
    throw new DomainError(
      'unprocessable',
      'vault-schema-missing',
      'the database has no schema vault: migrate it first',
      {
        cause,
      },
    );
  }
}
