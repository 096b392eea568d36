import { existsSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import type { ProviderSettings } from '../config.env.ts';
import type { KeyBundle } from '../providers/key-bundle.ts';
import { createKeysFile, readVaultSecret } from '../providers/keys.file.ts';
import { openTokenProvider } from '../providers/open.file.ts';

/** Where first or recovered keys go. */
export interface KeyPlace {
  /** All of them, durable when it returns. @param bundle lent. */
  store(bundle: KeyBundle): Promise<void>;
  close(): Promise<void>;
}

/**
 * The configured provider, which must hold nothing.
 * @throws DomainError `vault-keys-file-exists`, `vault-token-not-empty` (conflict), and those of the provider.
 */
export async function emptyPlace(settings: ProviderSettings): Promise<KeyPlace> {
  const { provider, file, token } = settings;
  if (provider === 'pkcs11' && token !== null) {
    const opened = await openTokenProvider(token);
    if (opened.kekVersions.length > 0 || opened.masterVersions.length > 0 || opened.recoveryKey !== null) {
      await opened.close();
      throw new DomainError(
        'conflict',
        'vault-token-not-empty',
        `The token ${token.tokenLabel} holds keys of a vault already. If they are of a ceremony that was broken off, ` +
          'initialise the token anew.',
      );
    }
    return {
      async store({ keks, masters, importKey, recoveryKey }) {
        if (recoveryKey !== null) await opened.setRecoveryKey(recoveryKey);
        for (const [version, key] of masters) await opened.addMaster(version, key);
        await opened.addImportKey(importKey);
        for (const [version, key] of keks) await opened.addKek(version, key);
      },
      close: () => opened.close(),
    };
  }
  if (file === null) throw new DomainError('unprocessable', 'configuration-invalid', 'No provider is configured.');
  const { keysFile, secretFile } = file;
  if (existsSync(keysFile)) {
    throw new DomainError('conflict', 'vault-keys-file-exists', `${keysFile} is there already and is not replaced.`);
  }
  const secret = await readVaultSecret(secretFile);
  return {
    store: (bundle) => createKeysFile(keysFile, secret, bundle),
    async close() {
      secret.wipe();
    },
  };
}
