import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';

/**
 * A core dump is the memory of the process in a file: keys and all. Node can't set its own limit, so util-linux's prlimit
 * is asked to, unless the surroundings did (systemd: LimitCORE=0, Docker: --ulimit core=0).
 *
 * 1 and not 0: the kernel writes no file that small, and it is also the one value that keeps it from piping a core to a
 * handler (core(5), "Piping core dumps to a program"; fs/coredump.c). Who has 0 already is left alone: raising a hard limit
 * needs privileges, and the usual handlers heed it.
 * @throws DomainError `vault-core-dumps-on` (forbidden).
 */
export function switchOffCoreDumps(): void {
  if (process.platform !== 'linux' || areOff()) return;
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), '--core=1:1'], { stdio: 'ignore', timeout: 5000 });
  } catch {
    // The limit itself is what counts; it is looked at again.
  }
  if (areOff()) return;
  throw new DomainError(
    'forbidden',
    'vault-core-dumps-on',
    'A crash would write the keys to a file, and this could not be switched off here: start the vault with a core limit of ' +
      '0 (systemd LimitCORE=0, docker --ulimit core=0, ulimit -Hc 0), or install prlimit (util-linux).',
  );
}

function areOff(): boolean {
  const [, soft, hard] = /^Max core file size +(\S+) +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return [soft, hard].every((limit) => limit === '0' || limit === '1');
}
