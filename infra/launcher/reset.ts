import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { DomainError } from '@cardwright/protocol';
import pg from 'pg';
import { removeCluster } from '../database/cluster-folder.ts';
import { takeLock } from '../processes/lock.ts';
import { openDataDirectory } from './data-directory.ts';
import { stopInstallation } from './stop-installation.ts';

/** What is ours in a data directory; anything else that lies there is left alone. */
const OURS = ['secrets', 'logs', 'vault', 'ca', 'device', 'tpm-roots', 'sockets', 'run.json', 'processes.json'];

export interface ResetOptions {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly yes: boolean;
}

/**
 * Deletes everything of an installation, after asking on a terminal. Gives false when the person said no.
 * Errors: `reset-not-confirmed` (precondition-required) without a terminal and without `--yes`; `data-directory-in-use`;
 * `reset-database-not-empty` (conflict): a PostgreSQL of the user's is never emptied from here.
 */
export async function reset(options: ResetOptions): Promise<boolean> {
  const path = resolve(options.dataDir);
  if (!existsSync(path)) return true;
  if (!options.yes && !(await confirmed(path))) return false;
  if (options.databaseUrl !== undefined) await refuseFilledDatabase(options.databaseUrl);
  const data = openDataDirectory(path);
  const lock = takeLock(data.lock);
  try {
    await stopInstallation(data.path);
    removeCluster(data.postgres);
    for (const entry of OURS) rmSync(join(data.path, entry), { recursive: true, force: true });
  } finally {
    lock.release();
  }
  return true;
}

async function confirmed(path: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new DomainError(
      'precondition-required',
      'reset-not-confirmed',
      `--reset deletes everything in ${path}. Without a terminal to ask on, say so: npm start -- --reset --yes`,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    process.stdout.write(`This deletes everything in ${path}:\n`);
    process.stdout.write(
      'people, cards, certificates, the audit log and the keys. No card made there can be unblocked again.\n',
    );
    return (await terminal.question('Type "yes" to delete it: ')).trim() === 'yes';
  } finally {
    terminal.close();
  }
}

async function refuseFilledDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname IN ('vault', 'ca')");
    if (rowCount === 0) return;
  } finally {
    await client.end();
  }
  throw new DomainError(
    'conflict',
    'reset-database-not-empty',
    'The database of DATABASE_URL holds an installation, and --reset does not delete in a PostgreSQL of yours. Give an empty database, or drop and create that one yourself.',
  );
}
