import { readFileSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';

export interface VaultConfig {
  readonly socketPath: string;
  readonly databaseUrl: string;
  readonly keysFile: string;
  readonly secretFile: string;
}

/**
 * From the environment: VAULT_SOCKET, VAULT_KEYS_FILE, VAULT_SECRET_FILE, and VAULT_DATABASE_URL or, where its password
 * comes as a mounted secret, VAULT_DATABASE_URL_FILE. No key is ever in the environment: it is inherited and shown by ps.
 * @throws DomainError `configuration-invalid` (unprocessable).
 */
export function readConfig(env: NodeJS.ProcessEnv): VaultConfig {
  return {
    socketPath: required(env, 'VAULT_SOCKET'),
    databaseUrl: databaseUrl(env),
    keysFile: required(env, 'VAULT_KEYS_FILE'),
    secretFile: required(env, 'VAULT_SECRET_FILE'),
  };
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
