import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { REACHABLE_FOLDER } from './binaries.ts';
import { findPostmaster } from './postmaster.ts';
import { canReach, type SystemUser } from './system-user.ts';

/** Beside a moved cluster, a file with this ending holds the path of the link that leads to it. */
const ORIGIN = '.origin';

export interface ClusterFolder {
  /** Where the cluster's files are, or will be. */
  readonly path: string;
  /** Set when the place asked for is closed to user `postgres`, so that the files are elsewhere, behind a link. */
  readonly movedBecause: string | null;
}

/**
 * Decides where a cluster asked for at `wanted` lives. Root's PostgreSQL runs as user `postgres`, which often can't
 * pass through the folders above (a checkout in /root): the files then go below /var/lib/cardwright, with a symbolic
 * link at `wanted`, so that deleting or moving the data directory still means what it says.
 */
export function placeCluster(wanted: string, user: SystemUser | null): ClusterFolder {
  const parent = dirname(wanted);
  mkdirSync(parent, { recursive: true });
  if (user === null) return { path: wanted, movedBecause: null };
  if (isLink(wanted)) return { path: readlinkSync(wanted), movedBecause: reason(parent) };
  if (existsSync(wanted) || canReach(user, parent)) return { path: wanted, movedBecause: null };
  sweepForgotten();
  const digest = createHash('sha256').update(realpathSync(parent)).digest('hex').slice(0, 16);
  const elsewhere = join(REACHABLE_FOLDER, `cluster-${digest}`);
  mkdirSync(REACHABLE_FOLDER, { recursive: true, mode: 0o755 });
  writeFileSync(`${elsewhere}${ORIGIN}`, wanted);
  symlinkSync(elsewhere, wanted);
  return { path: elsewhere, movedBecause: reason(parent) };
}

/** Deletes a cluster's files, wherever {@link placeCluster} put them. */
export function removeCluster(wanted: string): void {
  if (isLink(wanted)) {
    rmSync(readlinkSync(wanted), { recursive: true, force: true });
    rmSync(`${readlinkSync(wanted)}${ORIGIN}`, { force: true });
  }
  rmSync(wanted, { recursive: true, force: true });
}

/** Deletes what was moved here for a data directory that has been deleted since, with the link in it. */
function sweepForgotten(): void {
  if (!existsSync(REACHABLE_FOLDER)) return;
  for (const name of readdirSync(REACHABLE_FOLDER).filter((entry) => entry.endsWith(ORIGIN))) {
    const origin = join(REACHABLE_FOLDER, name);
    const cluster = origin.slice(0, -ORIGIN.length);
    if (isLink(readFileSync(origin, 'utf8')) || findPostmaster(cluster) !== null) continue;
    rmSync(cluster, { recursive: true, force: true });
    rmSync(origin, { force: true });
  }
}

/** An empty folder of the database's user, for initdb to fill. */
export function makeOwnedFolder(path: string, user: SystemUser | null): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user !== null) chownSync(path, user.uid, user.gid);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function reason(parent: string): string {
  return `user postgres may not enter ${parent} or a folder above it`;
}
