import { existsSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import type { FileSettings, ProviderSettings, TokenSettings } from '../config.env.ts';
import type { ManagedProvider, ProviderName } from '../provider.ts';
import { fileProvider } from './file-provider.ts';
import { keysMedium, readKeysFile, readVaultSecret } from './keys.file.ts';
import { pkcs11Provider } from './pkcs11-provider.ts';
import { connectToken } from './token-client.pkcs11.ts';

/** @throws DomainError as {@link readVaultSecret} and {@link readKeysFile}. */
export async function openFileProvider({ keysFile, secretFile }: FileSettings): Promise<ManagedProvider> {
  const secret = await readVaultSecret(secretFile);
  try {
    // Looked at before it is read: a change in between is then noticed at the next refresh.
    const medium = await keysMedium(keysFile, secret);
    return await fileProvider(await readKeysFile(keysFile, secret), medium);
  } catch (error) {
    secret.wipe();
    throw error;
  }
}

/** @throws DomainError as {@link connectToken}. The token may be without any key. */
export async function openTokenProvider(settings: TokenSettings): Promise<ManagedProvider> {
  const token = connectToken(settings);
  try {
    return await pkcs11Provider(token);
  } catch (error) {
    await token.close();
    throw error;
  }
}

/**
 * All providers that are configured and hold keys, the one that VAULT_PROVIDER names first.
 * @throws DomainError as each provider; `configuration-invalid` (unprocessable).
 */
export async function openProviders(
  settings: ProviderSettings,
): Promise<readonly [ManagedProvider, ...ManagedProvider[]]> {
  const openers: Record<ProviderName, (() => Promise<ManagedProvider>) | undefined> = {
    file: settings.file === null ? undefined : openFileProvider.bind(undefined, settings.file),
    pkcs11: settings.token === null ? undefined : openTokenProvider.bind(undefined, settings.token),
  };
  const first = openers[settings.provider];
  if (first === undefined)
    throw new DomainError('unprocessable', 'configuration-invalid', 'No provider is configured.');
  const opened: [ManagedProvider, ...ManagedProvider[]] = [await first()];
  try {
    // A keys file that is gone was moved to the token, or is not made yet.
    if (settings.provider !== 'file' && settings.file !== null && existsSync(settings.file.keysFile)) {
      opened.push(await openFileProvider(settings.file));
    }
    if (settings.provider !== 'pkcs11' && settings.token !== null) opened.push(await openTokenProvider(settings.token));
    return opened;
  } catch (error) {
    for (const each of opened) await each.close();
    throw error;
  }
}
