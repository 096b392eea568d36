import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import type { FaultPoint } from '../faults.ts';
import { STORE_BYTES_MAX } from './document.ts';
import type { StoreMedium } from './store.ts';

const FILE = 'store.json';
const NEW = 'store.json.new';

/**
 * The store as `store.json` in a directory that only its owner can enter. A change is written beside it, synced, renamed
 * over it, and the directory is synced: power may fail at any byte of that.
 */
export class FileMedium implements StoreMedium {
  readonly #directory: string;
  readonly #point: FaultPoint;

  constructor(directory: string, point: FaultPoint) {
    this.#directory = directory;
    this.#point = point;
  }

  read(): string | undefined {
    let file: number;
    try {
      file = openSync(join(this.#directory, FILE), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (errno(error) === 'ENOENT') return undefined;
      throw unreadable(this.#directory, error);
    }
    try {
      const stat = fstatSync(file);
      requireOwn(join(this.#directory, FILE), stat, 0o600);
      if (stat.size > STORE_BYTES_MAX) {
        throw new DomainError('unprocessable', 'store-damaged', `${FILE} is larger than a store can be.`);
      }
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  }

  replace(text: string): void {
    const fresh = join(this.#directory, NEW);
    try {
      this.#point('store.begin');
      // What an earlier run left half-written was never the store.
      unlinkIfThere(fresh);
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const file = openSync(fresh, flags, 0o600);
      try {
        fchmodSync(file, 0o600); // whatever the umask
        const bytes = Buffer.from(text, 'utf8');
        const half = bytes.length >> 1;
        writeAll(file, bytes.subarray(0, half));
        this.#point('store.half-written');
        writeAll(file, bytes.subarray(half));
        this.#point('store.written');
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      this.#point('store.synced');
      renameSync(fresh, join(this.#directory, FILE));
      this.#point('store.renamed');
      syncDirectory(this.#directory);
      this.#point('store.done');
    } catch (error) {
      throw new DomainError(
        'unavailable',
        'store-unwritable',
        `The store in ${this.#directory} can't be written (${errno(error) ?? 'unknown error'}). Free space or rights are ` +
          'needed; then run the same command again.',
        { cause: error },
      );
    }
  }
}

/**
 * Makes the directory if need be (mode 0700), or checks that it is ours alone. An empty directory of ours is closed to
 * others; one that already holds a store and is open to others is refused, because its secrets may be out.
 * Throws `store-open-to-others`, `store-of-another-user`, `store-unreadable`.
 */
export function openDirectory(directory: string): void {
  let stat: { uid: number; mode: number };
  try {
    const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (first !== undefined) syncDirectory(dirname(first));
    const handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      stat = fstatSync(handle);
      if (stat.uid === process.getuid?.() && (stat.mode & 0o077) !== 0 && readdirSync(directory).length === 0) {
        fchmodSync(handle, 0o700);
        stat = fstatSync(handle);
      }
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw unreadable(directory, error);
  }
  requireOwn(directory, stat, 0o700);
}

function requireOwn(path: string, stat: { uid: number; mode: number }, mode: number): void {
  if (stat.uid !== process.getuid?.()) {
    throw new DomainError(
      'forbidden',
      'store-of-another-user',
      `${path} belongs to user ${stat.uid}; run as that user, or name another store with --store.`,
    );
  }
  if ((stat.mode & 0o077) !== 0) {
    throw new DomainError(
      'forbidden',
      'store-open-to-others',
      `${path} is open to other users (mode ${(stat.mode & 0o777).toString(8)}). If nobody else used it: ` +
        `chmod ${mode.toString(8)} '${path}'.`,
    );
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Makes a new name in the directory, or its loss, durable. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}

export function errno(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function unreadable(directory: string, error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const reason = errno(error) ?? 'unknown error';
  return new DomainError('unavailable', 'store-unreadable', `The store in ${directory} can't be opened (${reason}).`, {
    cause: error,
  });
}
