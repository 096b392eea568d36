import { randomBytes } from 'node:crypto';
import type pg from 'pg';

/** Each person has a device and a card on it, and so many certificates there, one after the other. */
export const CERTIFICATES_EACH = 4;
/** As long as those of the sign-in profile with a P-256 key. */
const [CERTIFICATE_BYTES, REQUEST_BYTES] = [760, 240];

/** Ids that grow with the number, as those of cms grow with the time; the rest of an id is of its kind. */
export const idOf = (kind: 'a' | 'b' | 'c' | 'd', number: number): string => {
  const hex = number.toString(16).padStart(8, '0');
  return `0190${hex.slice(0, 4)}-${hex.slice(4)}-7000-8000-${kind.repeat(12)}`;
};
const id = (kind: string, number: string) =>
  `(SELECT ('0190' || substr(h, 1, 4) || '-' || substr(h, 5) || '-7000-8000-${kind.repeat(12)}')::uuid
    FROM lpad(to_hex(${number}), 8, '0') AS h)`;

/**
 * Adds the certificates from number `from` to before `to`, with their people, devices, cards and states, by statements over
 * whole series. Without triggers, indexes and foreign keys, which come back afterwards: what is measured is the table, not
 * how it came about. A tenth is revoked, a quarter has expired.
 */
export async function addCertificates(client: pg.Client, from: number, to: number): Promise<void> {
  const [first, last] = [from / CERTIFICATES_EACH, to / CERTIFICATES_EACH - 1];
  const series = `generate_series(${first}, ${last}) AS n`;
  const tables = ['certificates', 'certificate_states', 'people', 'devices', 'cards'];
  const restore = await withoutIndexes(client, tables);
  await client.query(`
    INSERT INTO people (id, display_name, user_principal_name) SELECT ${id('a', 'n')}, 'Person ' || n, 'p' || n || '@example.com' FROM ${series};
    INSERT INTO devices (id, host_name, platform, storage_key_name, token_hash)
      SELECT ${id('b', 'n')}, 'lap-' || n, 'linux-x64', md5(n::text), sha256(int4send(n)) FROM ${series};
    INSERT INTO cards (id, serial, person_id, device_id, kind, algorithm, key_strategy, state)
      SELECT ${id('c', 'n')}, 'CW-' || n, ${id('a', 'n')}, ${id('b', 'n')}, 'tpm', 'hmac-sha256', 'random-stored', 'active' FROM ${series};
    INSERT INTO certificates (id, request_id, card_id, device_id, person_id, container, certificate_profile, certificate_profile_version,
        status, csr, csr_hash, public_key_hash, serial_number, thumbprint, subject, issuer, not_before, not_after, der, created_at)
      SELECT ${id('d', 'c')}, c, ${id('c', 'n')}, ${id('b', 'n')}, ${id('a', 'n')}, 'sign-in', 'smart-card-sign-in', 1,
        CASE WHEN c % 10 = 3 THEN 'revoked' ELSE 'active' END, $bytes$${randomBytes(REQUEST_BYTES / 2).toString('hex')}$bytes$,
        sha256(int8send(c)), sha256(int8send(c + 1)), '5f' || encode(substr(sha256(int8send(c + 2)), 1, 15), 'hex'),
        encode(sha256(int8send(c + 3)), 'hex'), 'CN=Person ' || n, 'CN=Issuing CA', begun, begun + interval '365 days',
        $bytes$${randomBytes(CERTIFICATE_BYTES / 2).toString('hex')}$bytes$, begun
      FROM (SELECT c, (c / ${CERTIFICATES_EACH})::int AS n, now() - (c % 487) * interval '1 day' AS begun
        FROM generate_series(${from}::bigint, ${to - 1}) AS c) AS made;
    INSERT INTO certificate_states (certificate_id, number, since, status, decision, reason, effective_at, transaction_id)
      SELECT id, number, created_at + number * interval '1 hour', state, CASE WHEN number > 2 THEN 'confirmed' END,
        CASE WHEN number > 2 THEN 'superseded' END, CASE WHEN number > 2 THEN created_at END, 1
      FROM certificates, LATERAL (VALUES (1, 'proposed'), (2, 'active'), (3, 'revoked')) AS s (number, state)
      WHERE id >= '${idOf('d', from)}' AND id <= '${idOf('d', to)}' AND (number < 3 OR status = 'revoked');
    DELETE FROM certificate_expiry_counts;
    INSERT INTO certificate_expiry_counts SELECT month_of(not_after), certificate_profile, count(*) FROM certificates
      WHERE status = 'active' GROUP BY 1, 2;`);
  await restore();
  await client.query(`VACUUM (ANALYZE) ${tables.join(', ')}`);
}

/** @returns what makes them again as they were. */
async function withoutIndexes(client: pg.Client, tables: readonly string[]): Promise<() => Promise<void>> {
  const rows = async (sql: string) =>
    (await client.query<{ drop: string; make: string }>(sql, [tables.map((name) => `public.${name}`)])).rows;
  const keys = await rows(`SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make
    FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY($1::text[]::regclass[])`);
  const indexes =
    await rows(`SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_get_indexdef(indexrelid) AS make
    FROM pg_index WHERE NOT indisprimary AND indrelid = ANY($1::text[]::regclass[])`);
  for (const { drop } of [...keys, ...indexes]) await client.query(drop);
  for (const name of tables) await client.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
  return async () => {
    for (const name of tables) await client.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
    for (const { make } of [...indexes, ...keys]) await client.query(make);
  };
}
