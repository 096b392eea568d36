import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DomainError } from '@cardwright/protocol';

/**
 * Reads a whole file that only its owner may change or read. The mode is that of the opened file, so that it can't be exchanged between the look and the read.
 * @param forbidden mode bits that must not be set.
 * @throws DomainError (unprocessable) `<code>-missing`, `<code>-mode`, `<code>-invalid` (too long).
 */
export async function readBounded(
  path: string,
  max: number,
  code: string,
  forbidden: number,
  why: string,
): Promise<Buffer> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new DomainError('unprocessable', `${code}-missing`, `${path} can't be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  try {
    const { mode, size } = await handle.stat();
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    if ((mode & forbidden) !== 0) {
      throw new DomainError(
        'unprocessable',
        code === 'vault-secret' ? 'vault-secret-file-mode' : `${code}-mode`,
        `${path} has mode ${shown} and must not ${why}; put it right with: chmod 600 ${path}`,
      );
    }
    if (size > max) throw new DomainError('unprocessable', `${code}-invalid`, `${path} is over ${max} bytes.`);
    const bytes = Buffer.alloc(max);
    const { bytesRead } = await handle.read(bytes, 0, max, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file (0600) that must not be there. rename(2) would replace one; link(2) refuses, which also settles a race.
 * @throws DomainError `<code>-exists` (conflict).
 */
export async function writeOnce(path: string, text: string, code: string): Promise<void> {
  const unfinished = await writeUnfinished(path, text);
  try {
    await link(unfinished, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new DomainError('conflict', `${code}-exists`, `${path} is there already and is not replaced.`, { cause });
  } finally {
    await rm(unfinished, { force: true });
  }
  await syncFolder(path);
}

/** Replaces a file by another (0600): after a crash there is the one or the other, whole. */
export async function replaceFile(path: string, text: string): Promise<void> {
  // What a process that was killed here left behind: it may hold keys that are to be destroyed.
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(`.${basename(path)}.`)) await rm(join(dirname(path), name), { force: true });
  }
  await rename(await writeUnfinished(path, text), path);
  await syncFolder(path);
}

async function writeUnfinished(path: string, text: string): Promise<string> {
  const unfinished = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
  return unfinished;
}

/** Makes a new, renamed or removed name in the file's folder outlive a crash. */
export async function syncFolder(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
