import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { softParent } from './soft-parent.ts';
import { caller, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
const said: string[] = [];

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault);
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

/** As an operator's tools, logs and errors would show it. */
async function keep(work: Promise<unknown>): Promise<void> {
  const outcome = await work.catch((error: Error) => ({ ...error, message: error.message, stack: error.stack }));
  said.push(JSON.stringify(outcome));
}

function spellings(key: Buffer): string[] {
  const hex = key.toString('hex');
  return [
    hex,
    hex.toUpperCase(),
    hex.replace(/(.{4})(?=.)/g, '$1 '),
    key.toString('base64').replace(/=+$/, ''),
    key.toString('base64url'),
    key.toString('latin1'),
    [...key].join(','),
  ];
}

async function everyRow(): Promise<string> {
  const reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
  const parts: string[] = [];
  for (const table of ['administrator_keys', 'uses']) {
    const { rows } = await reader.query(`SELECT t.*, t::text AS row FROM vault.${table} t`);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      parts.push(JSON.stringify(row));
      for (const value of Object.values(row)) if (Buffer.isBuffer(value)) parts.push(value.toString('latin1'));
    }
  }
  await reader.end();
  return parts.join('\n');
}

describe('a known key', () => {
  it('is in no log, no error, no answer, no row and no file', async () => {
    const [imported, clear, wrong] = [randomBytes(24), randomBytes(24), randomBytes(24)];
    const [cardId, tpmCard] = [randomUUID(), randomUUID()];
    const to = await vault.client.importKey();
    const send = (jwe: string, id = randomUUID()) =>
      keep(vault.client.importAdministratorKey({ ...caller, cardId: id, cardSerial: 'CW-1', algorithm: 'tdes', jwe }));
    await send(await sealed(to, imported.toString('hex'), 'CW-1'), cardId);
    await send(clear.toString('hex'));
    await send(await sealed(to, wrong.toString('hex').slice(1), 'CW-1'));
    await send(await sealed(to, `${wrong.toString('hex')}!`, 'CW-1'));
    await send(await sealed(to, wrong.toString('hex'), 'CW-2'));
    await keep(vault.link.call('key.import', { jwe: clear.toString('hex') }));
    await keep(vault.link.call('answer', { challenge: clear.toString('hex'), [clear.toString('base64url')]: 1 }));
    for (const challenge of [randomBytes(8), randomBytes(7)]) {
      await keep(vault.client.answerChallenge({ ...caller, cardId, keyVersion: 1, challenge, mode: 'ecb' }));
    }
    const parent = softParent();
    const made = await vault.client.makeKeyForTpm({
      ...caller,
      cardId: tpmCard,
      strategy: 'random-stored',
      parentPublic: parent.public,
      pinLimit: 5,
    });
    const { key: tpmKey, seedValue } = parent.unwrap(made);
    said.push(JSON.stringify(made));
    const nonce = randomBytes(16);
    await keep(vault.client.signFirstWrite({ ...caller, cardId: tpmCard, keyVersion: 1, nvIndex: 0x01800001, nonce }));
    await keep(vault.client.describeKeys({ ...caller, cardId }));
    await vault.client.confirmKey({ ...caller, cardId: tpmCard, keyVersion: 1 });
    const change = { ...caller, strategy: 'random-stored', parentPublic: parent.public } as const;
    const successor = await vault.client.proposeSuccessor({ ...change, cardId: tpmCard });
    const replacement = await vault.client.proposeReplacement({ ...change, cardId });
    said.push(JSON.stringify([successor, replacement]));
    const [next, replaced] = [parent.unwrap(successor), parent.unwrap(replacement)];
    for (const id of [tpmCard, cardId])
      await keep(vault.client.confirmChange({ ...caller, cardId: id, keyVersion: 2 }));
    await vault.stop();

    const rows = await everyRow();
    // The search itself must be able to find something.
    expect(rows).toContain(cardId);
    expect(vault.output()).toContain('the vault serves');
    const everything = [rows, vault.output(), said.join('\n'), readFileSync(files.keysFile, 'utf8')].join('\n');
    for (const key of [imported, clear, wrong, tpmKey, seedValue, next.key, next.seedValue, replaced.key]) {
      for (const spelling of spellings(key)) expect(everything.includes(spelling)).toBe(false);
    }
    // A field that was called like a key is shown as the field it is, and is cut; nothing else of it is kept.
    expect(rows.includes(clear.toString('hex').slice(0, 16))).toBe(false);
  });
});
