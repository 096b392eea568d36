import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import { identify, isRunning, type ProcessIdentity } from './identity.ts';

export interface Lock {
  release(): void;
}

/**
 * Takes a folder for this process alone, by a file that names it. The file of a process that has died (kill -9) is
 * replaced. `link` makes it appear complete or not at all. Error: `data-directory-in-use` (conflict).
 */
export function takeLock(path: string): Lock {
  const self = identify(process.pid) ?? { pid: process.pid, startedAt: 'unknown' };
  const mine = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(mine, JSON.stringify(self), { mode: 0o600, flag: 'wx' });
  try {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      if (linked(mine, path)) return { release: () => releaseIfMine(path, self) };
      const holder = readHolder(path);
      if (holder !== null && isRunning(holder)) {
        throw new DomainError(
          'conflict',
          'data-directory-in-use',
          `Another Cardwright (process ${holder.pid}) is using this data directory. Stop it, or choose another with CARDWRIGHT_DATA=/some/directory.`,
          { data: { pid: holder.pid } },
        );
      }
      removeStale(path, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new DomainError('conflict', 'data-directory-in-use', `The lock ${path} could not be taken.`);
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): ProcessIdentity | null {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : null;
  } catch {
    return null; // gone since, or not written by us: it names nobody who could hold it
  }
}

/** Two that find the same dead lock race for the rename; the loser may have moved a live lock, and puts it back. */
function removeStale(path: string, stale: ProcessIdentity | null): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== null && moved.startedAt !== stale?.startedAt && isRunning(moved)) linked(aside, path);
  rmSync(aside, { force: true });
}

function releaseIfMine(path: string, self: ProcessIdentity): void {
  const holder = readHolder(path);
  if (holder?.pid === self.pid && holder.startedAt === self.startedAt) rmSync(path, { force: true });
}
