import { createCipheriv, createDecipheriv, createPrivateKey, randomBytes } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import { counterModeKdf } from '../derivation.ts';
import type { KeyProvider } from '../provider.ts';
import { type KeyBundle, wipeKeyBundle } from './key-bundle.ts';
import { importPublicKeyOf, openSealedImport } from './sealed-import.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keys of a keys file, in the memory of this process: as safe as the process and the host are, and no safer.
 * A wrapped data key is nonce (12) || ciphertext || tag (16), AES-256-GCM. One random nonce a key keeps a KEK well under
 * the 2^32 wraps of SP 800-38D section 8.3.
 * @param bundle becomes the provider's.
 */
export async function fileProvider(bundle: KeyBundle): Promise<KeyProvider> {
  const privateKey = bundle.importKey.use((der) =>
    createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }),
  );
  const importPublicKey = await importPublicKeyOf(privateKey);
  const kekVersion = Math.max(...bundle.keks.keys());

  function find(keys: ReadonlyMap<number, Secret>, version: number, what: string): Secret {
    const found = keys.get(version);
    if (found === undefined) throw invalidBlob(`the vault has no ${what} of version ${version}`);
    return found;
  }

  return {
    name: 'file',
    kekVersion,
    masterVersion: Math.max(...bundle.masters.keys()),
    importPublicKey,

    async wrap(dataKey, associatedData) {
      const nonce = randomBytes(NONCE_BYTES);
      const wrapped = find(bundle.keks, kekVersion, 'KEK').use((kek) => {
        const cipher = createCipheriv('aes-256-gcm', kek, nonce).setAAD(associatedData);
        const text = dataKey.use((bytes) => cipher.update(bytes));
        return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]);
      });
      return { kekVersion, wrapped: new Uint8Array(wrapped) };
    },

    async unwrap({ kekVersion: version, wrapped }, associatedData) {
      if (wrapped.length < NONCE_BYTES + TAG_BYTES) throw invalidBlob('a wrapped data key is too short');
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

    async close() {
      wipeKeyBundle(bundle);
    },
  };
}

function invalidBlob(detail: string, cause?: unknown): DomainError {
  return new DomainError('internal', 'vault-blob-invalid', detail, { cause });
}
