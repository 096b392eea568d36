import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DomainError } from '@cardwright/protocol';

/** sockaddr_un holds 108 bytes with the final NUL (unix(7)); the longest name of ours is `vault.sock`. */
const LONGEST_SOCKET_FOLDER = 90;

/** Where everything of one installation is kept. All of it is private to whoever starts it. */
export interface DataDirectory {
  readonly path: string;
  readonly lock: string;
  readonly postgres: string;
  readonly secrets: string;
  readonly logs: string;
  readonly vault: string;
  readonly ca: string;
  readonly device: string;
  /** Certificates of those who may say what is a TPM. */
  readonly tpmRoots: string;
  readonly sockets: string;
  /** What scripts need to use the running system: its address, tokens, operators, device. */
  readonly runFile: string;
  /** The processes that were started, so that the next start can end what a kill -9 left over. */
  readonly processesFile: string;
}

/** Makes the folders that are missing. Error: `data-directory-unusable` (invalid). */
export function openDataDirectory(wanted: string): DataDirectory {
  const given = resolve(wanted);
  try {
    mkdirSync(given, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new DomainError(
      'invalid',
      'data-directory-unusable',
      `The data directory ${given} can't be made (${(cause as Error).message}). Choose another: CARDWRIGHT_DATA=/some/directory`,
      { cause },
    );
  }
  const path = realpathSync(given);
  // Root's PostgreSQL runs as user postgres and must pass through; nobody can list what is here or read it.
  chmodSync(path, process.getuid?.() === 0 ? 0o711 : 0o700);
  const folder = (name: string) => {
    mkdirSync(join(path, name), { recursive: true, mode: 0o700 });
    return join(path, name);
  };
  return {
    path,
    lock: join(path, 'launcher.lock'),
    postgres: join(path, 'postgres'),
    secrets: folder('secrets'),
    logs: folder('logs'),
    vault: folder('vault'),
    ca: folder('ca'),
    device: folder('device'),
    tpmRoots: folder('tpm-roots'),
    sockets: socketFolder(path),
    runFile: join(path, 'run.json'),
    processesFile: join(path, 'processes.json'),
  };
}

/** In the data directory, unless its path is too long for a socket's address: then a private folder below /tmp. */
function socketFolder(path: string): string {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  const inside = join(path, 'sockets');
  const folder = Buffer.byteLength(inside) <= LONGEST_SOCKET_FOLDER ? inside : join(tmpdir(), `cardwright-${digest}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new DomainError(
      'forbidden',
      'data-directory-unusable',
      `${folder} must belong to you and be closed to others (chmod 700): the vault's socket is to be in it.`,
    );
  }
  return folder;
}

export function isFresh(data: DataDirectory): boolean {
  return !existsSync(data.runFile);
}
