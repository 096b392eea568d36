import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect } from 'vitest';
import { encryptChallenge } from '../../services/vault/dist/challenge-response.js';
import { type SoftToken, softToken } from '../../services/vault/dist/testing/soft-token.js';
import { sealed } from '../integration/vault/sealing.ts';
import {
  caller,
  startVault,
  type VaultFiles,
  type VaultProcess,
  vaultFiles,
} from '../integration/vault/vault-process.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { type Ran, run } from './run.ts';

const MAIN = fileURLToPath(new URL('../../services/vault/dist/main.js', import.meta.url));
const NO_LIMITS = {
  VAULT_LIMIT_PER_CARD: '1000000',
  VAULT_LIMIT_PER_REQUESTER: '1000000',
  VAULT_LIMIT_IN_ALL: '1000000',
};

/** A vault after its key ceremony, with known keys of cards in it, and a token beside it. */
export interface KeyedVault {
  readonly database: TestDatabase;
  readonly files: VaultFiles;
  readonly token: SoftToken;
  readonly recoveryFile: string;
  /** The lines of each share, as they were shown. */
  readonly shares: readonly string[];
  readonly keys: readonly { readonly cardId: string; readonly key: Buffer }[];
  /** The one that serves all the time. */
  vault(): VaultProcess;
  /** Ends it and starts another one. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** A command of the vault, with both providers configured. */
  command(args: readonly string[], env?: Readonly<Record<string, string>>, input?: string): Promise<Ran>;
  query(text: string): Promise<Record<string, unknown>[]>;
  /** The environment that a command has. */
  readonly settings: Readonly<Record<string, string>>;
  /** As on a new database; for what only a first start may do. */
  forgetAllKeys(): Promise<void>;
  remove(): Promise<void>;
}

const FORGET = ['administrator_keys', 'secrets', 'key_encryption_keys']
  .map((table) => `ALTER TABLE vault.${table} DISABLE TRIGGER USER; DELETE FROM vault.${table}`)
  .join(';');

export async function keyedVault(cards = 12): Promise<KeyedVault> {
  const database = await testDatabase();
  const files = vaultFiles();
  const token = softToken();
  const recoveryFile = join(files.directory, 'recovery.json');
  const checkpoint = join(files.directory, 'record.checkpoint');
  const settings = {
    VAULT_SOCKET: join(files.directory, 'vault.sock'),
    VAULT_DATABASE_URL: database.urls.vault,
    VAULT_KEYS_FILE: files.keysFile,
    VAULT_SECRET_FILE: files.secretFile,
    VAULT_RECOVERY_FILE: recoveryFile,
  };
  const command = (args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') =>
    run(process.execPath, [MAIN, ...args], { env: { ...settings, ...token.env, ...env }, input });
  const ceremony = await command(['init', '--shares', '3', '--threshold', '2'], {}, '\n\n\n');
  expect(ceremony.exitCode, ceremony.stderr).toBe(0);
  const begin = (env: Readonly<Record<string, string>> = {}) =>
    startVault(files, database.urls.vault, {
      args: [],
      env: { ...NO_LIMITS, VAULT_RECORD_CHECKPOINT_FILE: checkpoint, ...token.env, ...env },
    });
  let vault = await begin();
  async function query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }
  const keys = [];
  const to = await vault.client.importKey();
  for (let at = 0; at < cards; at++) {
    const [cardId, key, cardSerial] = [randomUUID(), randomBytes(32), `CW-${at}`];
    const jwe = await sealed(to, key.toString('hex'), cardSerial);
    await vault.client.importAdministratorKey({ ...caller, cardId, cardSerial, algorithm: 'aes-256', jwe });
    keys.push({ cardId, key });
  }
  return {
    ...{ database, files, token, recoveryFile, shares: sharesShown(ceremony.stdout), keys, command },
    vault: () => vault,
    async restart(env) {
      await vault.stop();
      vault = await begin(env);
    },
    settings: { ...settings, ...token.env },
    async forgetAllKeys() {
      await query(FORGET);
    },
    query,
    async remove() {
      await vault.stop();
      files.remove();
      token.remove();
      await database.drop();
    },
  };
}

function sharesShown(output: string): string[] {
  return output
    .split(/^# Share .*$/m)
    .slice(1)
    .map((shown) => shown.split(/^#/m)[0]?.trim() ?? '');
}

/** Every key opens, and answers as it should: TDES or AES by the vault, beside the same by the bare cipher. */
export async function everyKeyAnswers({ keys, vault }: KeyedVault): Promise<void> {
  const challenge = randomBytes(16);
  for (const { cardId, key } of keys) {
    const asked = { ...caller, cardId, keyVersion: 1, challenge, mode: 'ecb' } as const;
    const { response } = await vault().client.answerChallenge(asked);
    const expected = encryptChallenge(key, 'aes-256', challenge, 'ecb');
    expect(Buffer.from(response).toString('hex')).toBe(Buffer.from(expected).toString('hex'));
  }
}

/** One active KEK, everything under it, and no other that is not destroyed. */
export async function nothingIsLeftToDo({ query }: KeyedVault): Promise<void> {
  const rows = await query(`SELECT state, destroyed_at IS NOT NULL AS destroyed, vault.kek_in_use(version) AS used
    FROM vault.key_encryption_keys ORDER BY version`);
  expect(rows.at(-1)).toEqual({ state: 'active', destroyed: false, used: true });
  for (const row of rows.slice(0, -1)) expect(row).toEqual({ state: 'retired', destroyed: true, used: false });
}

/** Everything is in the token, and the keys file is gone. */
export async function movedAway(keyed: KeyedVault): Promise<void> {
  await everyKeyAnswers(keyed);
  await nothingIsLeftToDo(keyed);
  expect(existsSync(keyed.files.keysFile)).toBe(false);
  await keyed.restart({ VAULT_PROVIDER: 'pkcs11', VAULT_KEYS_FILE: '' });
  await everyKeyAnswers(keyed);
  expect(await keyed.vault().client.health()).toMatchObject({ provider: 'pkcs11', holders: ['pkcs11'] });
}
