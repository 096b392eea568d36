import { createCipheriv, createDecipheriv, createPrivateKey, randomBytes } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import { counterModeKdf } from '../derivation.ts';
import type { ManagedProvider } from '../provider.ts';
import { KEK_BYTES, type KeyBundle, MASTER_BYTES, wipeKeyBundle } from './key-bundle.ts';
import { importPublicKeyOf, openSealedImport } from './sealed-import.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where the keys lie when the process ends. */
export interface KeysMedium {
  /** What another process has put there; undefined when nothing changed since. */
  reload(): Promise<KeyBundle | undefined>;
  /** Durable when it returns. */
  store(bundle: KeyBundle): Promise<void>;
  remove(): Promise<void>;
  close(): void;
}

/**
 * Keys of a keys file, in the memory of this process: as safe as the process and the host are, and no safer.
 * A wrapped data key is nonce (12) || ciphertext || tag (16), AES-256-GCM. One random nonce a key keeps a KEK well under
 * the 2^32 wraps of SP 800-38D section 8.3.
 * @param first becomes the provider's.
 * @param medium where changes go; without one they last as long as the provider.
 */
export async function fileProvider(first: KeyBundle, medium?: KeysMedium): Promise<ManagedProvider> {
  let bundle = first;
  const privateKey = bundle.importKey.use((der) =>
    createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }),
  );
  const importPublicKey = await importPublicKeyOf(privateKey);

  function find(keys: ReadonlyMap<number, Secret>, version: number, what: string): Secret {
    const found = keys.get(version);
    if (found === undefined) throw invalidBlob(`The vault has no ${what} of version ${version}`);
    return found;
  }

  /** Stored first: a key that is used before it is durable would be lost in a crash. */
  async function change(next: KeyBundle): Promise<void> {
    await medium?.store(next);
    bundle = next;
  }

  async function wrapWith(version: number, dataKey: Secret, associatedData: Uint8Array): Promise<Uint8Array> {
    const nonce = randomBytes(NONCE_BYTES);
    const wrapped = find(bundle.keks, version, 'KEK').use((kek) => {
      const cipher = createCipheriv('aes-256-gcm', kek, nonce).setAAD(associatedData);
      const text = dataKey.use((bytes) => cipher.update(bytes));
      return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]);
    });
    return new Uint8Array(wrapped);
  }

  return {
    name: 'file',
    holders: ['file'],
    get kekVersion() {
      return newest(bundle.keks);
    },
    get masterVersion() {
      return newest(bundle.masters);
    },
    get kekVersions() {
      return versions(bundle.keks);
    },
    get masterVersions() {
      return versions(bundle.masters);
    },
    get recoveryKey() {
      return bundle.recoveryKey;
    },
    importPublicKey,
    wrapWith,

    async wrap(dataKey, associatedData) {
      const kekVersion = newest(bundle.keks);
      return { kekVersion, wrapped: await wrapWith(kekVersion, dataKey, associatedData) };
    },

    async unwrap({ kekVersion: version, wrapped }, associatedData) {
      if (wrapped.length < NONCE_BYTES + TAG_BYTES) throw invalidBlob('A wrapped data key is too short.');
      return find(bundle.keks, version, 'KEK').use((kek) => {
        const decipher = createDecipheriv('aes-256-gcm', kek, wrapped.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(associatedData).setAuthTag(wrapped.subarray(-TAG_BYTES));
        const clear = Secret.take(decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)));
        try {
          decipher.final();
        } catch (cause) {
          clear.wipe();
          throw invalidBlob('a wrapped data key does not open', cause);
        }
        return clear;
      });
    },

    async derive(masterVersion, fixedData, length) {
      return find(bundle.masters, masterVersion, 'master secret').use((master) =>
        Secret.take(counterModeKdf(master, fixedData, length)),
      );
    },

    openImport: (jwe) => openSealedImport(jwe, privateKey, importPublicKey.kid),

    async refresh() {
      const now = await medium?.reload();
      if (now === undefined) return;
      wipeKeyBundle(bundle);
      bundle = now;
    },
    async addKek(version, key) {
      if (!bundle.keks.has(version)) await change({ ...bundle, keks: withKey(bundle.keks, version, key, KEK_BYTES) });
    },
    async destroyKek(version) {
      const old = bundle.keks.get(version);
      if (old === undefined) return;
      await change({ ...bundle, keks: new Map([...bundle.keks].filter(([each]) => each !== version)) });
      old.wipe();
    },
    async addMaster(version, key) {
      const { masters } = bundle;
      if (!masters.has(version)) await change({ ...bundle, masters: withKey(masters, version, key, MASTER_BYTES) });
    },
    // A keys file is never without an import key.
    async addImportKey() {},
    async setRecoveryKey(recoveryKey) {
      await change({ ...bundle, recoveryKey });
    },
    async dispose() {
      await medium?.remove();
      wipeKeyBundle(bundle);
      bundle = { ...bundle, keks: new Map(), masters: new Map() };
    },
    extract: {
      master: (version) => find(bundle.masters, version, 'master secret'),
      importKey: () => bundle.importKey,
    },
    async close() {
      wipeKeyBundle(bundle);
      medium?.close();
    },
  };
}

const versions = (keys: ReadonlyMap<number, Secret>) => [...keys.keys()].sort((a, b) => a - b);
const newest = (keys: ReadonlyMap<number, Secret>) => Math.max(0, ...keys.keys());

function withKey(keys: ReadonlyMap<number, Secret>, version: number, key: Secret | undefined, length: number) {
  const added = Secret.take(
    key === undefined ? Uint8Array.from(randomBytes(length)) : key.use((bytes) => bytes.slice()),
  );
  return new Map([...keys, [version, added]]);
}

function invalidBlob(detail: string, cause?: unknown): DomainError {
  return new DomainError('internal', 'vault-blob-invalid', detail, { cause });
}
