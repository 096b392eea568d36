import { readdirSync, readFileSync } from 'node:fs';
import { inRepository } from '@cardwright/infra';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyDatabase } from '../../support/database.ts';

const FOLDER = inRepository('services', 'ca', 'migrations');
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let client: pg.Client;
beforeAll(async () => {
  database = await emptyDatabase();
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

const REASONS = [
  ['unspecified', ''],
  ['keyCompromise', '01'],
  ['affiliationChanged', '03'],
  ['superseded', '04'],
  ['cessationOfOperation', '05'],
  ['privilegeWithdrawn', '09'],
] as const;

it('revocations and CRLs from before keep their numbers, and get the entries that are written today', async () => {
  const migrations = readdirSync(FOLDER).sort();
  const apply = async (names: readonly string[]) => {
    for (const name of names) await client.query(readFileSync(`${FOLDER}/${name}/migration.sql`, 'utf8'));
  };
  const before = migrations.filter((name) => name < '0003');
  await apply(before);
  await client.query("INSERT INTO ca.authorities (name, certificate) VALUES ('root', ''), ('issuing', '')");
  for (const [n, [reason]] of REASONS.entries()) {
    // The first bit of every other serial number is set: as an INTEGER it takes a byte more.
    const serial = Buffer.alloc(16, n % 2 === 0 ? 0x7f : 0xff);
    serial[15] = n;
    await client.query(
      `INSERT INTO ca.certificates (serial_number, request_id, request_sha256, issuer, profile, state, certificate,
         not_before, not_after, issued_at)
       VALUES ($1, $2, sha256(''), 'issuing', 'smart-card-sign-in', 'issued', '', '2026-01-01', '2027-01-01', now())`,
      [serial, `request-${n}`],
    );
    await client.query(
      `INSERT INTO ca.revocations (serial_number, issuer, reason, revoked_at)
       VALUES ($1, 'issuing', $2, '2026-02-03T04:05:06Z')`,
      [serial, reason],
    );
  }
  await client.query(
    "INSERT INTO ca.crls (issuer, number, this_update, next_update, revocation_count, crl) VALUES ('issuing', 41, now(), now(), 6, '\\x00')",
  );
  await apply(migrations.filter((name) => !before.includes(name)));

  const { rows } = await client.query('SELECT reason, entry, change_number FROM ca.revocations ORDER BY change_number');
  const date = `170d${Buffer.from('260203040506Z').toString('hex')}`;
  const entries = REASONS.map(([, code], n) => {
    const serial = `${(n % 2 === 0 ? '7f' : 'ff').repeat(15)}0${n}`;
    const integer = n % 2 === 0 ? `0210${serial}` : `021100${serial}`;
    const extension = code === '' ? '' : `300c300a0603551d1504030a01${code}`;
    const content = integer + date + extension;
    return `30${(content.length / 2).toString(16)}${content}`;
  });
  expect(rows.map(({ entry }) => entry.toString('hex'))).toEqual(entries);
  expect(rows.map(({ change_number: number }) => Number(number))).toEqual([1, 2, 3, 4, 5, 6]);
  const one = async (sql: string) => (await client.query(sql)).rows;
  expect(await one('SELECT issuer, change_count::int, entry_count::int, entry_bytes::int FROM ca.crl_scopes')).toEqual([
    { issuer: 'issuing', change_count: 6, entry_count: 6, entry_bytes: entries.join('').length / 2 },
  ]);
  expect(await one('SELECT number::int, base_number::int, base_change_count::int FROM ca.crl_numbers')).toEqual([
    { number: 41, base_number: 41, base_change_count: 6 },
  ]);
  expect(await one('SELECT count(*)::int AS rows FROM ca.status_changes')).toEqual([{ rows: 6 }]);
  expect(await one('SELECT issuer, shards FROM ca.crl_partitions ORDER BY issuer')).toEqual([
    { issuer: 'issuing', shards: 1 },
    { issuer: 'root', shards: 1 },
  ]);
});
