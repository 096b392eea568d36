/**
 * The directory of the authorities' keys (CA_KEYS_DIR):
 *
 *     authorities/            0700, appears whole by one rename or not at all
 *       root.cer issuing.cer                          0600, as all here
 *       root.key                                      sealed; or root.offline, which says where it went
 *       issuing.key                                   sealed; or issuing.token, which says where in a token it is
 *     recorded                the database knows these authorities (see open.ts)
 *     .making-*               left by a start that was killed; removed by the next
 */
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, Secret } from '@cardwright/protocol';

const CERTIFICATES = ['root.cer', 'issuing.cer'] as const;
const KEYS = ['root.key', 'root.offline', 'issuing.key', 'issuing.token'] as const;
type KeyFile = (typeof KEYS)[number];
export type AuthorityFiles = Readonly<Record<(typeof CERTIFICATES)[number], Buffer>> &
  Readonly<Partial<Record<KeyFile, Buffer>>>;

const MAX_FILE_BYTES = 65_536;
const MIN_SECRET_BYTES = 16;

/**
 * The secret that the keys are sealed with; white space around it is not part of it.
 * @throws DomainError `file-mode-too-wide`, `secret-too-short`, `file-unreadable` (internal)
 */
export async function readSecret(path: string): Promise<Secret> {
  // May be a link: that is how Kubernetes mounts a secret.
  const bytes = await readPrivateFile(path, constants.O_RDONLY);
  const text = bytes.toString('utf8').trim();
  bytes.fill(0);
  if (Buffer.byteLength(text) < MIN_SECRET_BYTES) {
    throw broken('secret-too-short', `${path} must hold at least ${MIN_SECRET_BYTES} bytes: make them at random`);
  }
  return Secret.fromText(text);
}

export function keysDirectory(path: string) {
  const authorities = join(path, 'authorities');
  const marker = join(path, 'recorded');
  return {
    path,

    /** Makes the directory when it is not there, and clears what a killed start left behind. */
    async prepare(): Promise<void> {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const { mode } = await stat(path);
      if ((mode & 0o022) !== 0) {
        throw broken('file-mode-too-wide', `others may write in ${path} (${octal(mode)}): run chmod go-w on it`);
      }
      const left = (await readdir(path)).filter((name) => name.startsWith('.making-'));
      for (const name of left) await rm(join(path, name), { recursive: true });
    },

    /** @returns null when no authorities were made yet. */
    async read(): Promise<AuthorityFiles | null> {
      if (!(await exists(authorities))) return null;
      const there = await readdir(authorities);
      const names = [...CERTIFICATES, ...KEYS.filter((name) => there.includes(name))];
      const entries = names.map(async (name) => [name, await readPrivateFile(join(authorities, name))]);
      return Object.fromEntries(await Promise.all(entries)) as AuthorityFiles;
    },

    /** All or nothing, and durable before it returns. Fails when authorities are there already. */
    async create(files: AuthorityFiles): Promise<void> {
      const making = await mkdtemp(join(path, '.making-'));
      for (const [name, content] of Object.entries(files)) await writeDurably(join(making, name), content);
      await syncDirectory(making);
      await rename(making, authorities);
      await syncDirectory(path);
    },

    /** A certificate in place of another of the same key; all or nothing, and durable. */
    async replaceCertificate(name: (typeof CERTIFICATES)[number], certificate: Buffer): Promise<void> {
      const unfinished = join(path, `.making-${name}`);
      await writeDurably(unfinished, certificate);
      await rename(unfinished, join(authorities, name));
      await syncDirectory(authorities);
    },

    /** Destroys the root's key and leaves `note` in its place: first the note, so that it is never missed unexplained. */
    async removeRootKey(note: Buffer): Promise<void> {
      await writeDurably(join(authorities, 'root.offline'), note);
      await syncDirectory(authorities);
      const key = join(authorities, 'root.key');
      const { size } = await stat(key);
      // Best effort: what a journal, a snapshot or flash memory keeps is beyond a file's reach. It is sealed besides.
      await overwriteDurably(key, size);
      await rm(key);
      await syncDirectory(authorities);
    },

    isRecorded: () => exists(marker),

    async markRecorded(): Promise<void> {
      await writeDurably(marker, Buffer.alloc(0));
      await syncDirectory(path);
    },
  };
}
export type KeysDirectory = ReturnType<typeof keysDirectory>;

export async function readPrivateFile(
  path: string,
  flags = constants.O_RDONLY | constants.O_NOFOLLOW,
): Promise<Buffer> {
  const file = await open(path, flags).catch((cause: NodeJS.ErrnoException) => {
    throw broken(
      'file-unreadable',
      `${path} can't be read (${cause.code}): it must be there, no link, and ours`,
      cause,
    );
  });
  try {
    // Of the opened file, not of the path: it can't be exchanged in between.
    const { mode, size } = await file.stat();
    if ((mode & 0o177) !== 0) {
      throw broken(
        'file-mode-too-wide',
        `${path} has mode ${octal(mode)}; it must be 0600 or 0400: run chmod 600 on it`,
      );
    }
    if (size > MAX_FILE_BYTES) throw broken('file-unreadable', `${path} is over ${MAX_FILE_BYTES} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

export async function writeDurably(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function overwriteDurably(path: string, size: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.alloc(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

const octal = (mode: number): string => `0${(mode & 0o777).toString(8)}`;
const broken = (code: string, detail: string, cause?: unknown) => new DomainError('internal', code, detail, { cause });
