import { DomainError, type Secret } from '@cardwright/protocol';
import { type KeysDirectory, keysDirectory, readSecret } from '../keys.file.ts';
import { makeRootCopy, openRootCopy } from './root-copy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws DomainError `configuration-invalid` (invalid) */
export function setting(env: Environment, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new DomainError('invalid', 'configuration-invalid', `${name} must be set`);
}

/** The passphrase of the copy; at least 16 bytes, from a file that is the caller's alone. */
export const passphrase = (env: Environment): Promise<Secret> => readSecret(setting(env, 'CA_ROOT_PASSPHRASE_FILE'));

/** CA_KEYS_DIR, CA_SECRET_FILE, CA_ROOT_PASSPHRASE_FILE. @throws DomainError `authority-keys-missing` */
export async function exportRoot(env: Environment): Promise<{ text: string; fingerprint: string }> {
  const secret = await readSecret(setting(env, 'CA_SECRET_FILE'));
  const phrase = await passphrase(env);
  const files = await authorityFiles(keysDirectory(setting(env, 'CA_KEYS_DIR')));
  const file = files['root.key'];
  if (file === undefined) throw missing('the key of the root is not here any more');
  const text = await makeRootCopy(files['root.cer'], { file, secret }, phrase);
  return { text, fingerprint: await checkRootCopy(env, text) };
}

/** CA_ROOT_PASSPHRASE_FILE. @returns the root's fingerprint */
export async function checkRootCopy(env: Environment, text: string): Promise<string> {
  const root = await openRootCopy(text, await passphrase(env));
  return root.sha256.toString('hex');
}

/**
 * Destroys the key here, when the copy opens and is of this root; a second time it does what the first may have left.
 * @throws DomainError `root-differs` (conflict), `root-copy-unreadable`, `authority-key-unreadable` (internal)
 */
export async function removeRoot(env: Environment, text: string, now: Date): Promise<string> {
  const keys = keysDirectory(setting(env, 'CA_KEYS_DIR'));
  const files = await authorityFiles(keys);
  const root = await openRootCopy(text, await passphrase(env));
  if (!root.certificate.equals(files['root.cer'])) {
    throw new DomainError('conflict', 'root-differs', 'the copy is of another root than the one here');
  }
  const fingerprint = root.sha256.toString('hex');
  if (files['root.key'] === undefined) return fingerprint;
  const note = { root: fingerprint, removedAt: now.toISOString() };
  await keys.removeRootKey(Buffer.from(`${JSON.stringify(note, null, 2)}\n`));
  return fingerprint;
}

async function authorityFiles(keys: KeysDirectory) {
  const files = await keys.read();
  if (files === null) throw missing(`${keys.path} holds no authorities`);
  return files;
}

const missing = (detail: string) => new DomainError('internal', 'authority-keys-missing', detail);
