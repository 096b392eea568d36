import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Started by root, it runs as the system user `postgres` (made when missing);
 * otherwise as whoever starts it, which is `null` here.
 */
export function databaseUser(): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  return findUser() ?? makeUser();
}

function findUser(): SystemUser | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

function makeUser(): SystemUser {
  try {
    const nologin = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
    execFileSync('useradd', ['--system', '--user-group', ...nologin, 'postgres'], { stdio: 'pipe' });
  } catch (cause) {
    const said = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause);
    throw new DomainError(
      'unavailable',
      'database-user-not-made',
      `PostgreSQL does not run as root, and the system user postgres could not be made (${said}). Run: useradd --system --user-group postgres`,
      { cause },
    );
  }
  const made = findUser();
  if (made === null) throw new DomainError('internal', 'database-user-not-made', 'useradd made no user postgres.');
  return made;
}

/** Whether the user may pass through every folder above `path`, and enter or run it. Asked of the kernel, not computed from modes. */
export function canReach(user: SystemUser, path: string): boolean {
  return spawnSync('test', ['-x', path], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}
