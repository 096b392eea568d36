import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import { type Checkpoint, decodeSlots, encodeSlot, isLater, NO_CHECKPOINT, SLOT_BYTES, SLOTS } from './checkpoint.ts';
import type { Head } from './entry.ts';
import type { RecordSigner } from './signer.ts';

/** How often what was written is forced to the disk. A process that dies loses nothing; a power cut up to this long. */
const SYNC_EVERY_MS = 1000;

export interface CheckpointFile {
  /** As it was when the file was opened. */
  readonly found: Checkpoint | undefined;
  /**
   * Resolves when the operating system has it. Never goes back: an older head changes nothing. The first call always
   * writes: a vault that dies before its second entry must not look like one whose checkpoint was taken away.
   */
  advance(head: Head): Promise<void>;
  /** For an operator's acknowledgement: a new epoch begins at this head, wherever the old one was. On disk when done. */
  beginEpoch(head: Head): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the file, or makes it, 0600, in a directory that must be there.
 * @throws DomainError `vault-record-checkpoint-mode`, `vault-record-checkpoint-invalid` (unprocessable).
 */
export async function openCheckpointFile(path: string, signer: RecordSigner): Promise<CheckpointFile> {
  const handle = await openPrivately(path);
  let found: Checkpoint | undefined;
  try {
    found = await readCheckpoint(handle, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
  let now: Checkpoint = found ?? { ...NO_CHECKPOINT, keyVersion: signer.keyVersion, publicKey: signer.publicKey };
  let there = found !== undefined;
  let slot = 0;
  let unsynced = false;
  let writing: Promise<void> = Promise.resolve();

  // In turn: two writes to one slot at once could mix.
  function write(next: Checkpoint): Promise<void> {
    [now, there] = [next, true];
    slot = (slot + 1) % SLOTS;
    const [bytes, at] = [encodeSlot(next, signer), slot * SLOT_BYTES];
    const written = writing.then(async () => {
      await handle.write(bytes, 0, SLOT_BYTES, at);
      unsynced = true;
    });
    writing = written.catch(() => undefined);
    return written;
  }

  async function sync(): Promise<void> {
    if (!unsynced) return;
    unsynced = false;
    await handle.datasync();
  }
  // A failure to flush shows at the next write or at the end; the record itself is in the database.
  const timer = setInterval(() => void sync().catch(() => undefined), SYNC_EVERY_MS).unref();

  return {
    found,
    async advance(head) {
      const next = { epoch: now.epoch, head, keyVersion: signer.keyVersion, publicKey: signer.publicKey };
      if (!there || isLater(next, now)) await write(next);
    },
    async beginEpoch(head) {
      await write({ epoch: now.epoch + 1, head, keyVersion: signer.keyVersion, publicKey: signer.publicKey });
      // Both places: nothing of the old epoch is left to be taken for the newest.
      await write({ ...now });
      await sync();
    },
    async close() {
      clearInterval(timer);
      await writing;
      await sync();
      await handle.close();
    },
  };
}

/** For `audit`: needs the file alone, and no secret. @returns undefined when there is none. */
export async function readCheckpointFile(path: string): Promise<Checkpoint | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return await readCheckpoint(handle, path);
  } finally {
    await handle.close();
  }
}

async function openPrivately(path: string): Promise<FileHandle> {
  const isNew = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  try {
    const handle = await open(path, isNew, 0o600);
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    return handle;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  const { mode } = await handle.stat();
  if ((mode & 0o022) === 0) return handle;
  await handle.close();
  throw new DomainError(
    'unprocessable',
    'vault-record-checkpoint-mode',
    `${path} must not be writable by others than its owner; put it right with: chmod 600 ${path}`,
  );
}

async function readCheckpoint(handle: FileHandle, path: string): Promise<Checkpoint | undefined> {
  const bytes = Buffer.alloc(SLOT_BYTES * SLOTS);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  if (bytesRead === 0) return undefined;
  const found = decodeSlots(bytes.subarray(0, bytesRead));
  if (found !== undefined) return found;
  throw new DomainError(
    'unprocessable',
    'vault-record-checkpoint-invalid',
    `${path} holds no checkpoint that is whole: it was altered. Acknowledge that it is lost, then start again.`,
  );
}
