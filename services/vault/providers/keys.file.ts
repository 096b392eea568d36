import { createCipheriv, createDecipheriv, generateKeyPairSync, randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { DomainError, Secret } from '@cardwright/protocol';
import { hashRaw } from '@node-rs/argon2';
import type { KeysMedium } from './file-provider.ts';
import {
  decodeKeyBundle,
  encodeKeyBundle,
  KEK_BYTES,
  type KeyBundle,
  MASTER_BYTES,
  wipeKeyBundle,
} from './key-bundle.ts';
import { readBounded, replaceFile, syncFolder, writeOnce } from './private.file.ts';

/** RFC 9106 section 4, second recommended option: 64 MiB, three passes. One lane: the vault starts seldom. */
const ARGON2ID = { memoryKib: 65536, passes: 3, lanes: 1 } as const;
const LIMITS = { memoryKib: 1024 * 1024, passes: 64, lanes: 16 } as const;
const MAX_FILE_BYTES = 64 * 1024;
const MIN_SECRET_BYTES = 16;
const FORMAT = 'cardwright-vault-keys-1';

interface KeysFile {
  readonly format: typeof FORMAT;
  readonly argon2id: { readonly memoryKib: number; readonly passes: number; readonly lanes: number };
  readonly salt: string;
  readonly nonce: string;
  readonly sealed: string;
}

/**
 * Reads the secret that opens the keys file: all bytes but a last line end.
 * @throws DomainError `vault-secret-missing`, `vault-secret-file-mode`, `vault-secret-too-short` (unprocessable).
 */
export async function readVaultSecret(path: string): Promise<Secret> {
  const bytes = await readBounded(path, 4096, 'vault-secret', 0o022, 'be writable by others than its owner');
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  const secret = Secret.take(Uint8Array.from(bytes.subarray(0, end)));
  bytes.fill(0);
  if (secret.length < MIN_SECRET_BYTES) {
    secret.wipe();
    throw new DomainError(
      'unprocessable',
      'vault-secret-too-short',
      `The secret in ${path} must have at least ${MIN_SECRET_BYTES} bytes; 32 random ones in base64 are right.`,
    );
  }
  return secret;
}

/**
 * @param secret lent.
 * @throws DomainError `vault-keys-file-missing`, `vault-keys-file-mode`, `vault-keys-file-invalid`,
 *   `vault-secret-wrong` (unprocessable).
 */
export async function readKeysFile(path: string, secret: Secret): Promise<KeyBundle> {
  const bytes = await readBounded(path, MAX_FILE_BYTES, 'vault-keys-file', 0o077, 'be open to others than its owner');
  const file = parse(bytes, path);
  const key = await stretch(secret, Buffer.from(file.salt, 'base64'), file.argon2id);
  try {
    const sealed = Buffer.from(file.sealed, 'base64');
    const clear = key.use((raw) => {
      const decipher = createDecipheriv('aes-256-gcm', raw, Buffer.from(file.nonce, 'base64'), { authTagLength: 16 });
      decipher.setAAD(headerData(file)).setAuthTag(sealed.subarray(-16));
      const opened = decipher.update(sealed.subarray(0, -16));
      decipher.final();
      return Secret.take(opened);
    });
    try {
      return decodeKeyBundle(clear);
    } finally {
      clear.wipe();
    }
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new DomainError(
      'unprocessable',
      'vault-secret-wrong',
      `${path} does not open: either the secret is not the one it was sealed with, or the file was altered.`,
      { cause },
    );
  } finally {
    key.wipe();
  }
}

/** Keys for a vault that has none. The caller wipes them. */
export function newKeyBundle(kekVersion = 1, masterVersion = 1): KeyBundle {
  const importKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  return {
    keks: new Map([[kekVersion, Secret.take(Uint8Array.from(randomBytes(KEK_BYTES)))]]),
    masters: new Map([[masterVersion, Secret.take(Uint8Array.from(randomBytes(MASTER_BYTES)))]]),
    importKey: Secret.take(importKey.export({ format: 'der', type: 'pkcs8' })),
    recoveryKey: null,
  };
}

/**
 * Makes a keys file: complete and on disk under its name, or not there at all. Never replaces one.
 * @param secret lent. @param bundle lent; first keys when undefined.
 * @throws DomainError `vault-keys-file-exists` (conflict).
 */
export async function createKeysFile(path: string, secret: Secret, bundle?: KeyBundle): Promise<void> {
  const fresh = bundle === undefined ? newKeyBundle() : undefined;
  try {
    await writeOnce(path, await sealKeysFile(bundle ?? (fresh as KeyBundle), secret), 'vault-keys-file');
  } finally {
    if (fresh !== undefined) wipeKeyBundle(fresh);
  }
}

/**
 * The keys file of a provider whose keys change while it is open. Only one process at a time may change it: see
 * rotation/turn.pg.ts.
 * @param secret becomes the medium's, which wipes it when it is closed.
 */
export async function keysMedium(path: string, secret: Secret): Promise<KeysMedium> {
  let seen = await identity(path);
  return {
    async reload() {
      const now = await identity(path);
      if (now === seen || now === undefined) return undefined;
      const bundle = await readKeysFile(path, secret);
      seen = now;
      return bundle;
    },
    async store(bundle) {
      await replaceFile(path, await sealKeysFile(bundle, secret));
      seen = await identity(path);
    },
    async remove() {
      await rm(path, { force: true });
      await syncFolder(path);
    },
    close: () => secret.wipe(),
  };
}

/** A replaced file is another inode; undefined when there is none. */
async function identity(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sealKeysFile(bundle: KeyBundle, secret: Secret): Promise<string> {
  const clear = encodeKeyBundle(bundle);
  const salt = randomBytes(16);
  const key = await stretch(secret, salt, ARGON2ID);
  try {
    const nonce = randomBytes(12);
    const file: KeysFile = {
      format: FORMAT,
      argon2id: ARGON2ID,
      salt: salt.toString('base64'),
      nonce: nonce.toString('base64'),
      sealed: '',
    };
    const sealed = key.use((raw) => {
      const cipher = createCipheriv('aes-256-gcm', raw, nonce).setAAD(headerData(file));
      return clear.use((bytes) => Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]));
    });
    return `${JSON.stringify({ ...file, sealed: sealed.toString('base64') }, null, 2)}\n`;
  } finally {
    key.wipe();
    clear.wipe();
  }
}

async function stretch(secret: Secret, salt: Uint8Array, cost: KeysFile['argon2id']): Promise<Secret> {
  // argon2id is the library's default variant; it copies the bytes before it returns its promise.
  const hashed = secret.use((bytes) =>
    hashRaw(bytes, {
      salt,
      memoryCost: cost.memoryKib,
      timeCost: cost.passes,
      parallelism: cost.lanes,
      outputLen: 32,
    }),
  );
  return Secret.take(await hashed);
}

function headerData(file: KeysFile): Uint8Array {
  const { memoryKib, passes, lanes } = file.argon2id;
  return Buffer.from(`${file.format}|${memoryKib}|${passes}|${lanes}|${file.salt}`, 'utf8');
}

function parse(bytes: Buffer, path: string): KeysFile {
  const wrong = (cause?: unknown) =>
    new DomainError('unprocessable', 'vault-keys-file-invalid', `${path} is not a keys file of this version.`, {
      cause,
    });
  let file: Partial<KeysFile>;
  try {
    file = JSON.parse(bytes.toString('utf8')) as Partial<KeysFile>;
  } catch (cause) {
    throw wrong(cause);
  }
  if (typeof file !== 'object' || file === null || file.format !== FORMAT) throw wrong();
  const cost = file.argon2id;
  const within = (value: unknown, limit: number) =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= limit;
  if (
    !within(cost?.memoryKib, LIMITS.memoryKib) ||
    !within(cost?.passes, LIMITS.passes) ||
    !within(cost?.lanes, LIMITS.lanes)
  ) {
    throw wrong();
  }
  for (const [text, bytesWanted] of [[file.salt, 16] as const, [file.nonce, 12] as const]) {
    if (typeof text !== 'string' || Buffer.from(text, 'base64').length !== bytesWanted) throw wrong();
  }
  if (typeof file.sealed !== 'string' || Buffer.from(file.sealed, 'base64').length < 16) throw wrong();
  return file as KeysFile;
}
