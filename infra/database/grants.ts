import pg from 'pg';
import type { RoleNames, Zone } from './roles.ts';

/**
 * What each process may do in the database: its own schema only, by default everything with rows and nothing with tables.
 * The records that nobody may rewrite are open for reading and adding alone: a compromised cms can't change what it did,
 * nor a compromised vault what it answered. (The tables' own triggers refuse changes by the owner as well.)
 */
const ZONES: readonly ZoneTables[] = [
  {
    zone: 'cms',
    schema: 'public',
    appendOnly: [
      'audit_events',
      'attestation_evidence',
      'enrolment_vouchers',
      'certificate_profiles',
      'issuance_attempts',
      'issuance_attempt_ends',
    ],
    derived: ['certificate_states', 'certificate_expiry_counts', 'certificate_expiry_changes'],
  },
  { zone: 'vault', schema: 'vault', appendOnly: ['uses', 'record_signatures', 'alerts'], derived: [] },
  { zone: 'ca', schema: 'ca', appendOnly: [], derived: [] },
];
interface ZoneTables {
  readonly zone: Zone;
  readonly schema: string;
  readonly appendOnly: readonly string[];
  /** Written by the database's own triggers, with the owner's rights: its process may read them. */
  readonly derived: readonly string[];
}

/** Sets the rights to exactly what is said above, whatever they were. Runs after every migration, as the owner. */
export async function applyGrants(client: pg.Client, roles: RoleNames): Promise<void> {
  await client.query('BEGIN');
  try {
    for (const statement of grantStatements(roles)) await client.query(statement);
    for (const { zone, schema, ...tables } of ZONES) {
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`,
        [schema],
      );
      const role = pg.escapeIdentifier(roles[zone]);
      for (const { name } of rows) {
        const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
        await client.query(`GRANT ${rightsOn(name, tables)} ON ${table} TO ${role}`);
      }
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

function grantStatements(roles: RoleNames): string[] {
  return ZONES.flatMap(({ zone, schema }) => {
    const [role, place] = [pg.escapeIdentifier(roles[zone]), pg.escapeIdentifier(schema)];
    return [
      `REVOKE ALL ON ALL TABLES IN SCHEMA ${place} FROM ${role}, PUBLIC`,
      `REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${place} FROM ${role}, PUBLIC`,
      `GRANT USAGE ON SCHEMA ${place} TO ${role}`,
      `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${place} TO ${role}`,
    ];
  });
}

function rightsOn(table: string, { appendOnly, derived }: Pick<ZoneTables, 'appendOnly' | 'derived'>): string {
  if (table === '_prisma_migrations' || derived.includes(table)) return 'SELECT';
  return appendOnly.includes(table) ? 'SELECT, INSERT' : 'SELECT, INSERT, UPDATE, DELETE';
}
