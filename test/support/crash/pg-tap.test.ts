import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../database.ts';
import { createCrossings } from './crossings.ts';
import { type PgTap, pgTap } from './pg-tap.ts';

const crossings = createCrossings();
let database: TestDatabase;
let tap: PgTap;
let direct: pg.Client;
let client: pg.Client;
beforeAll(async () => {
  database = await testDatabase();
  const url = new URL(database.ownerUrl);
  tap = await pgTap(crossings, ['cms', 'postgres'], () => ({ host: url.hostname, port: Number(url.port) }));
  direct = new pg.Client(database.ownerUrl);
  await direct.connect();
  await direct.query('CREATE TABLE notes (text text)');
});
beforeEach(async () => {
  const url = new URL(database.ownerUrl);
  url.port = String(tap.port);
  client = new pg.Client(url.toString());
  client.on('error', () => undefined); // it is cut off
  await client.connect();
  await direct.query('TRUNCATE notes');
  return () => client.end().catch(() => undefined);
});
afterAll(async () => {
  await tap?.close();
  await direct?.end();
  await database?.drop();
});

const INSERT = { name: 'insert-note', text: 'INSERT INTO notes VALUES ($1)' };
const stored = async () => (await direct.query('SELECT text FROM notes')).rows.map(({ text }) => text);

async function inTransaction(...texts: string[]): Promise<void> {
  await client.query('BEGIN');
  for (const text of texts) await client.query({ ...INSERT, values: [text] });
  await client.query('COMMIT');
}

test('a step is what others come to see: a commit of something written, and a statement of its own that writes', async () => {
  const points = await crossings.trace(async () => {
    await client.query('SELECT * FROM notes FOR UPDATE');
    await inTransaction();
    await client.query({ ...INSERT, values: ['one'] });
    await client.query({ ...INSERT, values: ['two'] }); // prepared by now: the statement is not sent again
    await inTransaction('three', 'four');
    await client.query('BEGIN');
    await client.query('DELETE FROM notes');
    await client.query('ROLLBACK');
  });
  const [own, commit] = ['cms > postgres: notes', 'cms > postgres: commit of notes'];
  expect(points).toEqual([
    ...[`${own} | before`, `${own} | after`, `${own} | before #2`, `${own} | after #2`],
    ...[`${commit} | before`, `${commit} | after`],
  ]);
  expect(await stored()).toEqual(['one', 'two', 'three', 'four']);
});

test.each([
  ['before', 'cms', [], 'lost'],
  ['after', 'cms', ['one', 'two'], 'lost'],
  ['before', 'vault', ['one', 'two'], 'heard'],
  ['after', 'vault', ['one', 'two'], 'heard'],
] as const)('%s a commit, and %s dies: there is %j, and the answer is %s', async (phase, died, left, answer) => {
  let seen: string[] = [];
  const strike = async () => {
    seen = await stored();
    return died;
  };
  let got = 'heard';
  await crossings.at(`cms > postgres: commit of notes | ${phase}`, strike, async () => {
    await inTransaction('one', 'two').catch(() => {
      got = 'lost';
    });
  });
  expect(seen).toEqual(phase === 'before' ? [] : ['one', 'two']);
  expect(await stored()).toEqual(left);
  expect(got).toBe(answer);
});

test('says so when it never came to the point', async () => {
  const never = crossings.at(
    'cms > postgres: commit of other | after',
    async () => 'cms',
    () => inTransaction('one'),
  );
  await expect(never).rejects.toThrow('it never came to the point: cms > postgres: commit of notes | before');
});
