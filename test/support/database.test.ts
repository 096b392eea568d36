import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from './database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

async function as(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

test.each([
  ['cms', 'vault.administrator_keys'],
  ['cms', 'vault.uses'],
  ['cms', 'vault.record_signatures'],
  ['cms', 'vault.alerts'],
  ['cms', 'ca._prisma_migrations'],
  ['vault', 'public.people'],
  ['vault', 'public.audit_events'],
  ['ca', 'public.people'],
  ['ca', 'vault.uses'],
] as const)("the role of %s may not read another zone's table %s", async (zone, table) => {
  await expect(as(database.urls[zone], `SELECT * FROM ${table}`)).rejects.toMatchObject({ code: '42501' });
});

test.each([
  ['cms', 'UPDATE public.audit_events SET action = action'],
  ['cms', 'DELETE FROM public.audit_events'],
  ['cms', 'TRUNCATE public.audit_events'],
  ['vault', 'DELETE FROM vault.uses'],
  ['vault', 'TRUNCATE vault.uses'],
  ['vault', 'UPDATE vault.record_signatures SET through = through'],
  ['vault', 'DELETE FROM vault.alerts'],
  ['cms', 'INSERT INTO vault.uses SELECT * FROM vault.uses'],
  ['cms', 'DROP TABLE public.people'],
  ['cms', 'CREATE TABLE public.another (id int)'],
  ['cms', 'DELETE FROM public._prisma_migrations'],
  ['vault', 'ALTER TABLE vault.uses DISABLE TRIGGER ALL'],
] as const)('the role of %s may not: %s', async (zone, statement) => {
  await expect(as(database.urls[zone], statement)).rejects.toMatchObject({ code: '42501' });
});

test('each role may read its own tables', async () => {
  await expect(as(database.urls.cms, 'SELECT * FROM public.people')).resolves.toEqual([]);
  await expect(as(database.urls.vault, 'SELECT * FROM vault.administrator_keys')).resolves.toEqual([]);
});
