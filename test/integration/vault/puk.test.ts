import { randomBytes, randomUUID } from 'node:crypto';
import type { VaultClient } from '@cardwright/vault';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { caller, codeOf, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
let client: VaultClient;

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault);
  client = vault.client;
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

const SERIAL = 'VSC-00042';
const sealedPuk = async (puk: string, header = { typ: 'puk' }) => sealed(await client.importKey(), puk, SERIAL, header);
const store = async (cardId: string, jwe: string) => client.importPuk({ ...caller, cardId, cardSerial: SERIAL, jwe });

async function owner(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
  try {
    return (await reader.query(sql, values)).rows;
  } finally {
    await reader.end();
  }
}

describe('a PUK', () => {
  it('is shown once, to one of many who ask at once, and each of them is in the record', async () => {
    const cardId = randomUUID();
    await store(cardId, await sealedPuk('48213907'));
    await store(cardId, await sealedPuk('48213907'));
    expect(await codeOf(store(cardId, await sealedPuk('11112222')))).toBe('conflict puk-stored');
    const asked = Array.from({ length: 8 }, (_, at) =>
      client.showPuk({ requestedBy: `op-${at}`, requestId: 'r', cardId }),
    );
    const shown = (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(shown).toEqual([{ puk: '48213907' }]);
    expect(await codeOf(client.showPuk({ ...caller, cardId }))).toBe('conflict puk-already-shown');
    const uses = await owner(`SELECT outcome FROM vault.uses WHERE card_id = $1 AND operation = 'puk.show'`, [cardId]);
    expect(uses.map((use) => use.outcome).sort()).toEqual(['done', ...Array(8).fill('puk-already-shown')]);
    expect(JSON.stringify(await owner('SELECT * FROM vault.secrets'))).not.toContain('48213907');
  });

  it.each([
    ['too short', '123'],
    ['with a space', '1234 5678'],
    ['that is not ASCII', 'ключ-1234'],
    ['too long', 'x'.repeat(128)],
  ])('%s is refused: puk-malformed', async (_what, puk) => {
    expect(await codeOf(store(randomUUID(), await sealedPuk(puk)))).toBe('unprocessable puk-malformed');
  });

  it('is not there for a card that has none', async () => {
    expect(await codeOf(client.showPuk({ ...caller, cardId: randomUUID() }))).toBe('not-found puk-unknown');
  });

  it('is no way to an administrator key: a hostile cms hands in the seal of a key', async () => {
    const key = randomBytes(24).toString('hex');
    for (const header of [{}, { typ: 'administrator-key' }, { typ: 'uniform-key' }]) {
      const jwe = await sealed(await client.importKey(), key, SERIAL, header);
      expect(await codeOf(store(randomUUID(), jwe))).toBe('unprocessable administrator-key-sealed-as-another-kind');
    }
    const jwe = await sealedPuk('12345678');
    const asKey = { ...caller, cardId: randomUUID(), cardSerial: SERIAL, algorithm: 'tdes', jwe } as const;
    expect(await codeOf(client.importAdministratorKey(asKey))).toBe(
      'unprocessable administrator-key-sealed-as-another-kind',
    );
  });

  it('is no way to an administrator key: who writes the rows gives the PUK the blob of the key', async () => {
    const cardId = randomUUID();
    const jwe = await sealed(await client.importKey(), randomBytes(24).toString('hex'), SERIAL);
    await client.importAdministratorKey({ ...caller, cardId, cardSerial: SERIAL, algorithm: 'tdes', jwe });
    await store(cardId, await sealedPuk('12345678'));
    await owner('ALTER TABLE vault.secrets DISABLE TRIGGER USER');
    await owner(
      `UPDATE vault.secrets s SET id = k.card_id, sealed = k.sealed, kek_version = k.kek_version
        FROM vault.administrator_keys k WHERE k.card_id = $1 AND s.card_id = $1`,
      [cardId],
    );
    await owner('ALTER TABLE vault.secrets ENABLE TRIGGER USER');
    expect(await codeOf(client.showPuk({ ...caller, cardId }))).toBe('internal vault-blob-invalid');
  });
});
