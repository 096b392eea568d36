import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { identify, type ProcessIdentity } from '../processes/identity.ts';

export interface Postmaster {
  readonly identity: ProcessIdentity;
  readonly port: number;
}

/**
 * The postmaster that a cluster's `postmaster.pid` names, when it is really running and really a postgres: after a power
 * cut the pid may belong to anybody. Lines of the file: pid, data directory, start time, port, … (PostgreSQL,
 * src/include/utils/pidfile.h).
 */
export function findPostmaster(clusterPath: string): Postmaster | null {
  let lines: string[];
  try {
    lines = readFileSync(join(clusterPath, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!Number.isSafeInteger(pid) || pid <= 1 || !Number.isSafeInteger(port)) return null;
  const identity = identify(pid);
  return identity !== null && isPostgres(pid) ? { identity, port } : null;
}

function isPostgres(pid: number): boolean {
  try {
    return /(^|\/)postgres( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    // Not Linux, or not ours to look at: PostgreSQL itself refuses to start beside a live postmaster.
    return process.platform !== 'linux' || nameOf(pid).startsWith('postgres');
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}
