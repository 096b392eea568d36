import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';

/** What the database itself keeps of certificates, whoever writes: as the role of cms, and as the owner. */
let database: TestDatabase;
let cms: pg.Client;
let owner: pg.Client;
const links = { person: randomUUID(), device: randomUUID(), card: randomUUID() };

beforeAll(async () => {
  database = await testDatabase();
  [cms, owner] = [database.urls.cms, database.ownerUrl].map(
    (connectionString) => new pg.Client({ connectionString }),
  ) as [pg.Client, pg.Client];
  await Promise.all([cms.connect(), owner.connect()]);
  const { person, device, card } = links;
  await cms.query(`INSERT INTO people (id, display_name, user_principal_name) VALUES ($1, 'P', 'p@example.com')`, [
    person,
  ]);
  await cms.query(
    `INSERT INTO devices (id, host_name, platform, storage_key_name, token_hash) VALUES ($1, 'd', 'linux', '', 'x')`,
    [device],
  );
  await cms.query(
    `INSERT INTO cards (id, serial, person_id, device_id, kind, algorithm, key_strategy, state)
     VALUES ($1, 'CW-1', $2, $3, 'tpm', 'hmac-sha256', 'random-stored', 'active')`,
    [card, person, device],
  );
});
afterAll(async () => {
  await Promise.allSettled([cms.end(), owner.end()]);
  await database.drop();
});

const COLUMNS = '(id, request_id, card_id, device_id, person_id, container, status, csr, csr_hash, not_after)';
async function added(status = 'proposed', notAfter: string | null = null): Promise<string> {
  const id = randomUUID();
  const { person, device, card } = links;
  await cms.query(
    `INSERT INTO certificates ${COLUMNS} VALUES ($1::uuid, $1::text, $2, $3, $4, 'sign-in', $5, 'csr', 'hash', $6)`,
    [...[id, card, device, person, status, notAfter]],
  );
  return id;
}
const issue = (id: string, notAfter = '2031-05-05T00:00:00Z') =>
  cms.query(`UPDATE certificates SET status = 'active', serial_number = $1, not_after = $2 WHERE id::text = $1`, [
    id,
    notAfter,
  ]);
const decide = (id: string) =>
  cms.query(
    `INSERT INTO revocations (id, certificate_id, state, reason, comment, requested_by_id, requested_by_name, revoked_at, next_attempt_at)
     VALUES ($1, $2, 'proposed', 'keyCompromise', 'c', 'i', 'n', '2030-01-01T00:00:00Z', now())`,
    [randomUUID(), id],
  );
const states = async (id: string) =>
  (await cms.query('SELECT * FROM certificate_states WHERE certificate_id = $1 ORDER BY number', [id])).rows;
const refusedWith = async (client: pg.Client, sql: string) =>
  client.query(sql).then(
    () => 'done',
    (error: pg.DatabaseError) => error.code,
  );

describe('every state is written down by the database', () => {
  it('whatever statement brings it about, with the decision to revoke before the CA has heard of it', async () => {
    const id = await added();
    await issue(id);
    await decide(id);
    await cms.query(
      `UPDATE revocations SET state = 'confirmed', confirmed_at = now(), next_attempt_at = NULL WHERE certificate_id = $1`,
      [id],
    );
    await cms.query(`UPDATE certificates SET status = 'revoked' WHERE id = $1`, [id]);
    await cms.query(`UPDATE certificates SET version = version + 1 WHERE id = $1`, [id]);
    const rows = await states(id);
    expect(rows.map(({ number, status, decision, reason }) => [number, status, decision, reason])).toEqual([
      [1, 'proposed', null, null],
      [2, 'active', null, null],
      [3, 'active', 'proposed', 'keyCompromise'],
      [4, 'active', 'confirmed', 'keyCompromise'],
      [5, 'revoked', 'confirmed', 'keyCompromise'],
    ]);
    expect(rows[4].effective_at.toISOString()).toBe('2030-01-01T00:00:00.000Z');
    const times = rows.map(({ since }) => since.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('and of a hold and its release, by the names of RFC 5280', async () => {
    const id = await added();
    await issue(id);
    for (const [act, status] of [
      ['hold', 'on-hold'],
      ['release', 'active'],
    ]) {
      const { rows } = await cms.query(
        `INSERT INTO certificate_holds (id, certificate_id, act, state, comment, requested_by_id, requested_by_name, request_id,
           takes_effect_at, created_at, next_attempt_at)
         VALUES (gen_random_uuid(), $1, $2, 'proposed', 'c', 'i', 'n', 'r', now(), now(), now()) RETURNING id`,
        [id, act],
      );
      await cms.query(
        `UPDATE certificate_holds SET state = 'confirmed', confirmed_at = now(), next_attempt_at = NULL WHERE id = $1`,
        [rows[0].id],
      );
      await cms.query('UPDATE certificates SET status = $2 WHERE id = $1', [id, status]);
    }
    expect((await states(id)).map(({ status, decision, reason }) => [status, decision, reason])).toEqual([
      ['proposed', null, null],
      ['active', null, null],
      ['active', 'proposed', 'certificateHold'],
      ['active', 'confirmed', 'certificateHold'],
      ['on-hold', 'confirmed', 'certificateHold'],
      ['on-hold', 'proposed', 'removeFromCRL'],
      ['on-hold', 'confirmed', 'removeFromCRL'],
      ['active', 'confirmed', 'removeFromCRL'],
    ]);
  });

  it('of many rows in one statement', async () => {
    const ids = [await added(), await added()];
    await owner.query(`UPDATE certificates SET status = 'failed' WHERE id = ANY($1)`, [ids]);
    for (const id of ids) expect((await states(id)).map(({ status }) => status)).toEqual(['proposed', 'failed']);
  });

  it('and of changes at once each gets a number of its own', async () => {
    const id = await added();
    await issue(id);
    await Promise.all([decide(id), owner.query(`UPDATE certificates SET status = 'failed' WHERE id = $1`, [id])]);
    expect((await states(id)).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  it('in the transaction that the audit event names', async () => {
    const id = await added();
    await cms.query('BEGIN');
    await issue(id);
    await cms.query(
      `INSERT INTO audit_events (actor_kind, actor_id, actor_name, action, object_kind, certificate_id, outcome, request_id, transaction_id)
       VALUES ('system', 'w', 'w', 'certificate.issued', 'certificate', $1, 'done', 'r', 42)`,
      [id],
    );
    await cms.query('COMMIT');
    const { rows } = await cms.query('SELECT transaction_id FROM audit_events WHERE certificate_id = $1', [id]);
    expect(rows).toEqual([{ transaction_id: (await states(id))[1].transaction_id }]);
  });
});

describe('nobody rewrites it', () => {
  it.each([
    `INSERT INTO certificate_states VALUES (gen_random_uuid(), 1, now(), 'active', NULL, NULL, NULL, 1)`,
    `SELECT add_certificate_state(gen_random_uuid(), 'active', NULL, NULL, NULL)`,
    `UPDATE certificate_states SET status = 'active'`,
    'DELETE FROM certificate_states',
    'TRUNCATE certificate_states',
    `UPDATE certificate_expiry_counts SET count = 0`,
    'DELETE FROM certificate_expiry_changes',
  ])('as cms: %s', async (sql) => {
    expect(await refusedWith(cms, sql)).toBe('42501');
  });

  it.each([
    `UPDATE certificate_states SET status = 'active'`,
    'DELETE FROM certificate_states',
    'TRUNCATE certificate_states',
  ])('as the owner: %s', async (sql) => {
    await added();
    expect(await refusedWith(owner, sql)).toBe('42501');
  });

  it.each([
    'card_id = gen_random_uuid()',
    'device_id = gen_random_uuid()',
    'person_id = gen_random_uuid()',
    `request_id = 'another'`,
    `csr = 'another'`,
    `serial_number = 'another'`,
    `der = 'another'`,
    `thumbprint = 'another'`,
    `public_key_hash = sha256('another')`,
  ])('as the owner, of an issued certificate: %s', async (change) => {
    const id = await added();
    await issue(id);
    expect(await refusedWith(owner, `UPDATE certificates SET ${change} WHERE id = '${id}'`)).toBe('42501');
  });

  it.each(['DELETE FROM certificates', 'TRUNCATE certificates CASCADE'])('as the owner: %s', async (sql) => {
    await added();
    expect(await refusedWith(owner, sql)).toBe('42501');
  });
});

describe('what ends in a month', () => {
  const kept = `SELECT to_char(month, 'YYYY-MM') AS month, certificate_profile AS profile, sum(n)::int AS n FROM (
    SELECT month, certificate_profile, count AS n FROM certificate_expiry_counts
    UNION ALL SELECT month, certificate_profile, change FROM certificate_expiry_changes) AS all_of_it
    GROUP BY 1, 2 HAVING sum(n) <> 0 ORDER BY 1, 2`;
  const counted = `SELECT to_char(not_after AT TIME ZONE 'UTC', 'YYYY-MM') AS month, coalesce(certificate_profile, '') AS profile, count(*)::int AS n
    FROM certificates WHERE status IN ('active', 'on-hold') AND not_after IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`;
  const rows = async (sql: string) => (await cms.query(sql)).rows;

  it('is counted as it changes, and is what counting gives', async () => {
    for (const month of ['01', '01', '02', '12']) await issue(await added(), `2032-${month}-28T23:30:00Z`);
    const gone = await added();
    await issue(gone, '2032-02-01T00:00:00Z');
    await cms.query(`UPDATE certificates SET status = 'revoked' WHERE id = $1`, [gone]);
    const moved = await added('active', '2032-03-01T00:00:00Z');
    await owner.query(`UPDATE certificates SET not_after = '2032-04-01T00:00:00Z' WHERE id = $1`, [moved]);
    const before = await rows(kept);
    expect(before).toEqual(await rows(counted));
    expect(before.filter(({ month }) => month.startsWith('2032')).map(({ month, n }) => [month, n])).toEqual([
      ['2032-01', 2],
      ['2032-02', 1],
      ['2032-04', 1],
      ['2032-12', 1],
    ]);
    const waiting = await rows('SELECT count(*)::int AS n FROM certificate_expiry_changes');
    const added_up = await rows('SELECT add_up_certificate_expiries()::int AS n');
    expect(added_up).toEqual(waiting);
    expect(await rows('SELECT 1 FROM certificate_expiry_changes')).toEqual([]);
    expect(await rows(kept)).toEqual(before);
    await issue(await added(), '2032-01-01T00:00:00Z');
    await rows('SELECT add_up_certificate_expiries()');
    expect(await rows(kept)).toEqual(await rows(counted));
  });
});

it('the migration dates and hashes what was there before it', async () => {
  const sql = readFileSync(join(import.meta.dirname, '../../../prisma/migrations/0013_history/migration.sql'), 'utf8');
  const from = sql.indexOf('CREATE FUNCTION "public_key_hash_of_request"');
  const made = sql.slice(from, sql.indexOf('$$;', from) + 3);
  // A request of P-256, by `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x`, and its key's hash.
  const request =
    'MIHGMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFjGKBmpGrL+caVzPdsurNBH9tUDDqlgLfcS' +
    'RJG2Z2R5JU0wsywJ/T6XDH8gd76hZ1pmo9LXoXP1rdvqXxjydregADAKBggqhkjOPQQDAgNIADBFAiEAkZJFVQIDx0jtFVdHbTE5' +
    'QShSHiwNq15kBYsPgR0rm0gCIDyWCsHFSlo8XQrnQcMSPMEgdnXPcxXE735Q/KW6I8q/';
  await owner.query(made);
  const { rows } = await owner.query(
    `SELECT encode(public_key_hash_of_request(decode($1, 'base64')), 'hex') AS hash, public_key_hash_of_request('\\x30') AS none,
      public_key_hash_of_request('') AS empty`,
    [request],
  );
  expect(rows).toEqual([
    { hash: '76a09e41c5c71f01c4a3de42915be460866bffb499ae32268614c455bc449da2', none: null, empty: null },
  ]);
});
