import { expect } from 'vitest';
import type { TestSystem } from './system.ts';

/**
 * A digest of every record there is, to show that a refusal changed nothing. Left out: the two logs and the signatures
 * over them (a refusal is recorded, and must be), when a device was last heard of, and what the worker adds up and looks
 * at by itself.
 */
export async function recordsOf(system: TestSystem): Promise<Record<string, string>> {
  const tables = await system.query(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema in ('public', 'vault', 'ca') and table_type = 'BASE TABLE'
        and table_name not in ('audit_events', 'uses', 'record_signatures', 'idempotency_keys', 'operator_sessions',
          '_prisma_migrations', 'certificate_expiry_changes', 'certificate_expiry_counts', 'authority_states')
      order by 1`,
  );
  // One statement: all at one moment, and without a connection for each.
  const digestOf = ({ name }: { name: string }) =>
    `select '${name}' as name, count(*) || ' rows ' || md5(coalesce(string_agg(r, '|' order by r), '')) as digest
       from (select (to_jsonb(t) - 'last_seen_at' - 'checked_in_at')::text as r from ${name} t) rows`;
  const rows = await system.query(tables.map(digestOf).join(' union all '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}

/** Runs what must leave every record as it is: refusals, one after the other. A digest is taken once for all of them. */
export async function nothingChanges(system: TestSystem, acts: () => Promise<void>): Promise<void> {
  const before = await recordsOf(system);
  await acts();
  expect(await recordsOf(system)).toEqual(before);
}
