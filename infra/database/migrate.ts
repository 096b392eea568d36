import { randomUUID } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import pg from 'pg';
import { inRepository } from '../repository/root.ts';
import { applyGrants } from './grants.ts';
import { type Migration, readMigrations } from './migrations-folder.ts';
import type { RoleNames } from './roles.ts';

/** The advisory lock of Prisma's own migrate commands, so that ours and theirs never run at once. */
const PRISMA_ADVISORY_LOCK = 72707369;

/** One schema a trust zone, each with its own history. */
export const SCHEMAS = [
  { schema: 'public', folder: inRepository('prisma', 'migrations') },
  { schema: 'vault', folder: inRepository('services', 'vault', 'migrations') },
  { schema: 'ca', folder: inRepository('services', 'ca', 'migrations') },
] as const;

export interface MigrateOptions {
  /** The URL of the database's owner. */
  readonly ownerUrl: string;
  /** Given their rights after the migrations. Null leaves rights alone (schema checks). */
  readonly roles: RoleNames | null;
}

/** What was applied by this run, as `schema/name`; empty when the database was up to date. */
export type Applied = readonly string[];

interface HistoryRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/**
 * Brings the database up to date and sets the rights of the three roles. Each migration is one transaction with the row
 * that records it, in the form of Prisma's `_prisma_migrations`, so that `prisma migrate deploy` finds nothing to do.
 * Errors: `migration-edited`, `migration-unknown`, `migration-unfinished` (conflict), `migration-failed` (unavailable).
 */
export async function migrate(options: MigrateOptions): Promise<Applied> {
  const client = new pg.Client({ connectionString: options.ownerUrl, application_name: 'cardwright-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_ADVISORY_LOCK]);
    const applied: string[] = [];
    for (const { schema, folder } of SCHEMAS) applied.push(...(await migrateSchema(client, schema, folder)));
    if (options.roles !== null) await applyGrants(client, options.roles);
    return applied;
  } finally {
    await client.end(); // a session's advisory locks end with it
  }
}

/** Applies what a folder has and the schema has not; exported for tests with folders of their own. */
export async function migrateSchema(client: pg.Client, schema: string, folder: string): Promise<string[]> {
  const migrations = readMigrations(folder);
  if (schema !== 'public') await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
  const history = await readHistory(client, schema);
  const pending = pendingMigrations(schema, migrations, history);
  for (const migration of pending) await applyOne(client, schema, migration);
  return pending.map(({ name }) => `${schema}/${name}`);
}

/** What must be applied, or why nothing may be: history is only ever added to. Pure. */
export function pendingMigrations(
  schema: string,
  migrations: readonly Migration[],
  history: readonly HistoryRow[],
): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of history) {
    const name = `${schema}/${row.migration_name}`;
    const migration = known.get(row.migration_name);
    if (migration === undefined) {
      throw new DomainError(
        'conflict',
        'migration-unknown',
        `The database has the migration ${name}, which this version of Cardwright does not know: a newer version made it. Run that version or a later one.`,
      );
    }
    if (!row.finished) {
      throw new DomainError(
        'conflict',
        'migration-unfinished',
        `The migration ${name} was begun by another tool and did not finish. Put it right, then run: prisma migrate resolve`,
      );
    }
    if (migration.checksum !== row.checksum) {
      throw new DomainError(
        'conflict',
        'migration-edited',
        `The migration ${name} was edited after this database had it (SHA-256 ${row.checksum} then, ${migration.checksum} now). Put the file back, and write a new migration instead.`,
      );
    }
  }
  const done = new Set(history.map((row) => row.migration_name));
  return migrations.filter(({ name }) => !done.has(name));
}

async function readHistory(client: pg.Client, schema: string): Promise<HistoryRow[]> {
  const table = `${pg.escapeIdentifier(schema)}._prisma_migrations`;
  // The columns are Prisma's (schema-engine, sql-schema-connector/src/flavour/postgres.rs).
  await client.query(`CREATE TABLE IF NOT EXISTS ${table} (
    id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`);
  const { rows } = await client.query<HistoryRow>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM ${table}
     WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows;
}

async function applyOne(client: pg.Client, schema: string, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL search_path TO ${pg.escapeIdentifier(schema)}`);
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO ${pg.escapeIdentifier(schema)}._prisma_migrations
         (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK');
    const { message, position } = cause as { message: string; position?: string };
    const line = position === undefined ? '' : ` (line ${migration.sql.slice(0, Number(position)).split('\n').length})`;
    throw new DomainError(
      'unavailable',
      'migration-failed',
      `The migration ${schema}/${migration.name}${line} failed and was undone: ${message}`,
      { cause },
    );
  }
}
