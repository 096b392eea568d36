import { readFileSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import { PROVIDER_NAMES, type ProviderName } from './provider.ts';

export interface FileSettings {
  readonly keysFile: string;
  readonly secretFile: string;
}

export interface TokenSettings {
  /** The shared library of the token's maker. */
  readonly module: string;
  readonly tokenLabel: string;
  readonly pinFile: string;
}

/** Which providers there are, and which of them new keys belong to. */
export interface ProviderSettings {
  readonly provider: ProviderName;
  readonly file: FileSettings | null;
  readonly token: TokenSettings | null;
  /** Where the keys lie sealed to the recovery key, if there was a ceremony. */
  readonly recoveryFile: string | null;
}

export interface VaultConfig extends ProviderSettings {
  readonly socketPath: string;
  readonly databaseUrl: string;
  /** Whether keys that many cards share may be taken in. */
  readonly uniformKeysAllowed: boolean;
}

/**
 * From the environment:
 * VAULT_SOCKET; VAULT_DATABASE_URL or, where its password comes as a mounted secret, VAULT_DATABASE_URL_FILE;
 * VAULT_PROVIDER, file (the default) or pkcs11; VAULT_KEYS_FILE and VAULT_SECRET_FILE; VAULT_PKCS11_MODULE,
 * VAULT_PKCS11_TOKEN_LABEL and VAULT_PKCS11_PIN_FILE; VAULT_RECOVERY_FILE; VAULT_UNIFORM_KEYS, refused (the default) or
 * allowed. The provider that VAULT_PROVIDER does not name
 * is open too when its variables are set: that is needed while keys move. No key and no PIN is ever in the environment:
 * it is inherited and shown by ps.
 * @throws DomainError `configuration-invalid` (unprocessable).
 */
export function readConfig(env: NodeJS.ProcessEnv): VaultConfig {
  return {
    socketPath: required(env, 'VAULT_SOCKET'),
    databaseUrl: databaseUrl(env),
    uniformKeysAllowed: uniformKeys(env.VAULT_UNIFORM_KEYS),
    ...readProviderSettings(env),
  };
}

function readProviderSettings(env: NodeJS.ProcessEnv): ProviderSettings {
  const provider = providerName(env.VAULT_PROVIDER);
  const wanted = (name: ProviderName, variables: readonly string[]) =>
    provider === name || variables.some((variable) => (env[variable] ?? '') !== '');
  const wantsFile = wanted('file', ['VAULT_KEYS_FILE']);
  const wantsToken = wanted('pkcs11', ['VAULT_PKCS11_MODULE']);
  return {
    provider,
    file: wantsFile
      ? { keysFile: required(env, 'VAULT_KEYS_FILE'), secretFile: required(env, 'VAULT_SECRET_FILE') }
      : null,
    token: wantsToken
      ? {
          module: required(env, 'VAULT_PKCS11_MODULE'),
          tokenLabel: required(env, 'VAULT_PKCS11_TOKEN_LABEL'),
          pinFile: required(env, 'VAULT_PKCS11_PIN_FILE'),
        }
      : null,
    recoveryFile: env.VAULT_RECOVERY_FILE || null,
  };
}

/** Off unless that very word says otherwise. */
function uniformKeys(given: string | undefined): boolean {
  if (given === undefined || given === '' || given === 'refused') return false;
  if (given === 'allowed') return true;
  throw invalid('VAULT_UNIFORM_KEYS must be allowed or refused');
}

function providerName(given: string | undefined): ProviderName {
  const name = given === undefined || given === '' ? 'file' : given;
  const found = PROVIDER_NAMES.find((each) => each === name);
  if (found === undefined) throw invalid(`VAULT_PROVIDER must be one of: ${PROVIDER_NAMES.join(', ')}`);
  return found;
}

function databaseUrl(env: NodeJS.ProcessEnv): string {
  const file = env.VAULT_DATABASE_URL_FILE;
  if (file === undefined || file === '') return required(env, 'VAULT_DATABASE_URL');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw invalid(`VAULT_DATABASE_URL_FILE names ${file}, which can't be read`, cause);
  }
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw invalid(`${name} must be set`);
  return value;
}

function invalid(detail: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', 'configuration-invalid', detail, { cause });
}
