import { existsSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import type { VaultConfig } from '../config.env.ts';
import type { ProviderName } from '../provider.ts';
import { wipeKeyBundle } from '../providers/key-bundle.ts';
import { createKeysFile, newKeyBundle, readVaultSecret } from '../providers/keys.file.ts';
import { openTokenProvider } from '../providers/open.file.ts';
import { moveProvider } from '../rotation/move-provider.ts';
import { type CommandContext, demandOpenInRunningVault, withKeyWork } from './key-work.cli.ts';

/** `vault move-provider --to file|pkcs11`: everything from the one provider to the other. */
export async function moveProviderCommand(context: CommandContext, to: ProviderName): Promise<void> {
  const { config, say } = context;
  if (config.token === null || config.file === null) {
    throw new DomainError(
      'unprocessable',
      'configuration-invalid',
      'Both providers must be configured: VAULT_KEYS_FILE and VAULT_SECRET_FILE, and VAULT_PKCS11_MODULE, ' +
        'VAULT_PKCS11_TOKEN_LABEL and VAULT_PKCS11_PIN_FILE.',
    );
  }
  await demandOpenInRunningVault(context, to);
  if (to === 'file') await prepareKeysFile(config);
  const settings = withSource(config, to);
  const moved = await withKeyWork({ ...context, config: settings }, (ports) => moveProvider(ports, to));
  say(`Done. KEK ${moved.kekVersion} (${to}) is the active one; re-wrapped: ${moved.rewrapped}.`);
  say(`Now set VAULT_PROVIDER=${to} for the vault, take the other provider's variables away, and start it again.`);
}

/** The provider that is left comes first, unless a run before has emptied it. */
function withSource(config: VaultConfig, to: ProviderName): VaultConfig {
  const source = to === 'pkcs11' && config.file !== null && existsSync(config.file.keysFile) ? 'file' : 'pkcs11';
  return { ...config, provider: source };
}

/** A keys file without a KEK, into which one is then made. Its master secret is new: see moveProvider. */
async function prepareKeysFile({ file, token }: VaultConfig): Promise<void> {
  if (file === null || token === null || existsSync(file.keysFile)) return;
  const source = await openTokenProvider(token);
  const masterVersion = source.masterVersion + 1;
  await source.close();
  const secret = await readVaultSecret(file.secretFile);
  const fresh = newKeyBundle(1, masterVersion);
  try {
    await createKeysFile(file.keysFile, secret, { ...fresh, keks: new Map() });
  } finally {
    wipeKeyBundle(fresh);
    secret.wipe();
  }
}
