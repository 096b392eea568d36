import { createCipheriv, randomBytes, randomUUID } from 'node:crypto';
import type { ImportBatchLine, ImportPublicKey, VaultClient } from '@cardwright/vault';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { caller, codeOf, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
let client: VaultClient;
let importKey: ImportPublicKey;

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault);
  client = vault.client;
  importKey = await client.importKey();
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

async function owner(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
  try {
    return (await reader.query(sql, values)).rows;
  } finally {
    await reader.end();
  }
}

async function lineOf(hex: string, change: Partial<ImportBatchLine> = {}): Promise<ImportBatchLine> {
  const cardSerial = `VSC-${randomBytes(4).toString('hex')}`;
  const jwe = await sealed(importKey, hex, cardSerial);
  const line = {
    cardId: randomUUID(),
    cardSerial,
    algorithm: 'tdes',
    jwe,
    origin: null,
    kcv: null,
    puk: null,
  } as const;
  return { ...line, ...change };
}

const send = (
  lines: ImportBatchLine[],
  change: { batchId?: string; dryRun?: boolean; acceptDuplicates?: boolean } = {},
) => client.importBatch({ ...caller, batchId: randomUUID(), dryRun: false, acceptDuplicates: false, lines, ...change });
const key = () => randomBytes(24).toString('hex');
const stored = async (lines: readonly ImportBatchLine[]) =>
  (await owner('SELECT 1 FROM vault.administrator_keys WHERE card_id = ANY ($1)', [lines.map((one) => one.cardId)]))
    .length;

describe('many keys at once', () => {
  it('are stored all together, answer, and each is in the record', async () => {
    const keys = [key(), key(), key()];
    const lines = await Promise.all(keys.map((hex) => lineOf(hex)));
    const batchId = randomUUID();
    const report = await send(lines, { batchId });
    expect(report.stored).toBe(true);
    expect(report.lines.map(({ code, duplicate }) => [code, duplicate])).toEqual(Array(3).fill([null, false]));
    const challenge = randomBytes(8);
    const asked = { ...caller, cardId: lines[1]?.cardId ?? '', keyVersion: 1, challenge, mode: 'ecb' } as const;
    const cipher = createCipheriv('des-ede3', Buffer.from(keys[1] ?? '', 'hex'), null).setAutoPadding(false);
    expect(Buffer.from((await client.answerChallenge(asked)).response)).toEqual(cipher.update(challenge));
    expect(await send(lines, { batchId })).toMatchObject({ stored: true });
    expect(await codeOf(send(lines.slice(1), { batchId }))).toBe('conflict import-batch-reused');
    const uses = await owner(`SELECT card_id, operation FROM vault.uses WHERE outcome = 'done'`);
    for (const { cardId } of lines) expect(uses).toContainEqual({ card_id: cardId, operation: 'key.import' });
    expect(uses).toContainEqual({ card_id: batchId, operation: 'key.import-batch' });
  });

  it('are judged line by line; with one that is wrong none is stored', async () => {
    const clear = key();
    const taken = await lineOf(key());
    await send([taken]);
    const wrong = await Promise.all([
      lineOf(key()),
      lineOf(key().slice(1)),
      lineOf(key().slice(2)),
      lineOf('0102030405060708'.repeat(3)),
      lineOf(key(), { jwe: clear }),
      lineOf(key(), { cardSerial: 'ANOTHER' }),
      lineOf(key(), { kcv: '000000' }),
      lineOf(key(), { jwe: null }),
      lineOf(key(), { cardId: taken.cardId }),
      lineOf(key(), { jwe: null, origin: { strategy: 'uniform', keyName: 'any' } }),
      lineOf(key(), { puk: await sealed(importKey, '1', 'x', { typ: 'puk' }) }),
    ]);
    const report = await send(wrong);
    expect(report.stored).toBe(false);
    expect(report.lines.map(({ code }) => code)).toEqual([
      null,
      'administrator-key-odd-length',
      'administrator-key-length',
      'administrator-key-default',
      'administrator-key-not-sealed',
      'administrator-key-sealed-for-another-card',
      'key-check-value',
      'administrator-key-missing',
      'administrator-key-confirmed',
      'uniform-keys-not-allowed',
      'administrator-key-sealed-for-another-card',
    ]);
    expect(JSON.stringify(report)).not.toContain(clear.slice(0, 12));
    expect(await stored(wrong.filter(({ cardId }) => cardId !== taken.cardId))).toBe(0);
  });

  it('that other cards have are flagged, parity bits or not, and taken in only when asked to', async () => {
    const shared = randomBytes(24);
    const flipped = shared.map((byte) => byte ^ 1);
    const lines = await Promise.all([shared, flipped].map((bytes) => lineOf(Buffer.from(bytes).toString('hex'))));
    const report = await send(lines);
    expect(report).toMatchObject({ stored: false, lines: [{ duplicate: true }, { duplicate: true }] });
    expect(await send(lines, { acceptDuplicates: true })).toMatchObject({ stored: true });
    const third = await lineOf(shared.toString('hex'));
    expect(await send([third], { dryRun: true })).toMatchObject({ stored: false, lines: [{ duplicate: true }] });
    const prints = await owner('SELECT DISTINCT fingerprint FROM vault.administrator_keys WHERE card_id = ANY ($1)', [
      lines.map(({ cardId }) => cardId),
    ]);
    expect(prints).toHaveLength(1);
  });

  it('in a dry run are judged and not stored', async () => {
    const lines = [await lineOf(key())];
    expect(await send(lines, { dryRun: true })).toMatchObject({ stored: false, lines: [{ code: null }] });
    expect(await stored(lines)).toBe(0);
  });

  it('asked for by several at once are one batch', async () => {
    const lines = await Promise.all([key(), key()].map((hex) => lineOf(hex)));
    const batchId = randomUUID();
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(lines, { batchId })));
    expect(answers.map(({ stored: is }) => is)).toEqual([true, true, true, true]);
    expect(await stored(lines)).toBe(2);
  });

  it('survive kill -9 at any moment: all of the batch is there, or none, and the same batch completes it', async () => {
    const lines = await Promise.all(Array.from({ length: 40 }, async () => lineOf(key())));
    for (const delay of [0, 5, 10, 20, 40, 80]) {
      const batch = lines.map((line) => ({ ...line, cardId: randomUUID() }));
      const batchId = randomUUID();
      const asked = send(batch, { batchId, acceptDuplicates: true }).catch(() => undefined);
      // Not a wait for something to be done: the moment of the blow is what is varied.
      await new Promise((resolve) => setTimeout(resolve, delay));
      await vault.kill();
      await asked;
      expect([0, 40]).toContain(await stored(batch));
      vault = await startVault(files, database.urls.vault);
      client = vault.client;
      expect(await send(batch, { batchId, acceptDuplicates: true })).toMatchObject({ stored: true });
      expect(await stored(batch)).toBe(40);
    }
  });
});
