import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { DomainError } from '@cardwright/protocol';

const LOOPBACK = '127.0.0.1';

/** True when the port could be bound just now. Nothing holds it afterwards: the caller must cope with losing the race. */
export function canBind(port: number, host: string = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A free TCP port on 127.0.0.1; with `consecutive` 2, one whose successor is free as well. */
export async function freePort(consecutive: 1 | 2 = 1): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, LOOPBACK, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
    if (consecutive === 1 || (port < 65535 && (await canBind(port + 1)))) return port;
  }
  throw new DomainError('unavailable', 'no-free-port', 'No free TCP port was found on 127.0.0.1 in 50 attempts.');
}

/** Who listens on a TCP port, as text for a person; null when it can't be told (not Linux, or not ours to look at). */
export function whoListens(port: number): string | null {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
    if (inodes.size === 0) return null;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!holdsSocket(pid, inodes)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 2).join(' ').trim();
      return `process ${pid} (${command.slice(0, 120)})`;
    }
  } catch {
    return null;
  }
  return null;
}

/** proc(5): `sl local_address rem_address st … inode`; state 0A is LISTEN, addresses are `HEXIP:HEXPORT`. */
function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(table, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(wanted))
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false; // another user's process, or one that has just ended
  }
}
