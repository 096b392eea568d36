import { createCipheriv, createDecipheriv, createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import { hashRaw } from '@node-rs/argon2';

/** RFC 9106 4, the second recommended option (64 MiB, 3 passes) with one lane. */
const KDF = { memoryKib: 65_536, passes: 3, lanes: 1 } as const;
const ARGON2ID = 2;
const FORMAT = 'cardwright-sealed-key-1';

interface SealedKey {
  readonly format: typeof FORMAT;
  readonly purpose: string;
  readonly salt: string;
  readonly iv: string;
  /** Ciphertext and 16 bytes of GCM tag, base64url. */
  readonly sealed: string;
}

/**
 * Seals a private key (PKCS #8) with AES-256-GCM under a key that argon2id makes of `secret`, bound to `purpose`: a file
 * put in another's place does not open.
 * @returns JSON text
 */
export async function sealKey(key: KeyObject, purpose: string, secret: Secret): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const kek = await deriveKek(secret, salt);
  const cipher = createCipheriv('aes-256-gcm', kek, iv).setAAD(boundTo(purpose));
  const clear = key.export({ type: 'pkcs8', format: 'der' });
  const sealed = Buffer.concat([cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  clear.fill(0);
  kek.fill(0);
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const file: SealedKey = { format: FORMAT, purpose, salt: text(salt), iv: text(iv), sealed: text(sealed) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** @throws DomainError `authority-key-unreadable` (internal): no such file format, another secret, or changed bytes. */
export async function openKey(json: string, purpose: string, secret: Secret): Promise<KeyObject> {
  const file = parse(json, purpose);
  const kek = await deriveKek(secret, Buffer.from(file.salt, 'base64url'));
  const bytes = Buffer.from(file.sealed, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', kek, Buffer.from(file.iv, 'base64url'), { authTagLength: 16 });
    decipher.setAAD(boundTo(purpose)).setAuthTag(bytes.subarray(-16));
    const clear = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
    const key = createPrivateKey({ key: clear, format: 'der', type: 'pkcs8' });
    clear.fill(0);
    return key;
  } catch {
    // The cause is left out: it could only say how far a guess of the secret came.
    throw unreadable(
      `the key of ${purpose} does not open: CA_SECRET_FILE holds another secret, or the file was changed`,
    );
  } finally {
    kek.fill(0);
  }
}

const boundTo = (purpose: string): Buffer =>
  Buffer.from(JSON.stringify([FORMAT, purpose, KDF.memoryKib, KDF.passes, KDF.lanes]), 'utf8');

function deriveKek(secret: Secret, salt: Buffer): Promise<Buffer> {
  return secret.use((bytes) =>
    hashRaw(Buffer.from(bytes), {
      algorithm: ARGON2ID,
      salt,
      memoryCost: KDF.memoryKib,
      timeCost: KDF.passes,
      parallelism: KDF.lanes,
      outputLen: 32,
    }),
  );
}

function parse(json: string, purpose: string): SealedKey {
  try {
    const file = JSON.parse(json) as Partial<SealedKey>;
    const { format, salt, iv, sealed } = file;
    if (format !== FORMAT) throw new Error('format');
    for (const text of [salt, iv, sealed]) if (typeof text !== 'string') throw new Error('fields');
    return file as SealedKey;
  } catch {
    throw unreadable(`the key file of ${purpose} is not of the form ${FORMAT}: restore it from a backup`);
  }
}

const unreadable = (detail: string) => new DomainError('internal', 'authority-key-unreadable', detail);
