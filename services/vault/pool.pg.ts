import { DomainError } from '@cardwright/protocol';
import pg from 'pg';
import { keyChanged } from './rotation/current-keys.ts';

export interface Statement {
  /** Prepared once a connection, under this name. */
  readonly name: string;
  readonly text: string;
}

export interface Database {
  /** @throws DomainError `vault-database-unavailable` (unavailable); the driver's own error for all else. */
  query(statement: Statement, values: readonly unknown[]): Promise<{ rows: Record<string, unknown>[]; count: number }>;
  close(): Promise<void>;
}

/**
 * A few connections: two batches of each kind under way fill them, and more gain nothing.
 * `synchronous_commit` is set here and not left to the server's configuration: what is recorded must outlive a crash.
 */
export function connectDatabase(url: string, onError: (error: unknown) => void): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: 6,
    application_name: 'cardwright-vault',
    connectionTimeoutMillis: 5000,
    statement_timeout: 8000,
    query_timeout: 9000,
    options: '-c synchronous_commit=on',
  });
  // An idle connection that the server closes is replaced by the pool; without a listener it would end the process.
  pool.on('error', onError);
  return {
    async query(statement, values) {
      try {
        const result = await pool.query({ ...statement, values: [...values] });
        return { rows: result.rows as Record<string, unknown>[], count: result.rowCount ?? 0 };
      } catch (cause) {
        if ((cause as { code?: unknown }).code === KEK_NOT_ACTIVE) throw keyChanged(cause);
        if (isAway(cause)) {
          throw new DomainError(
            'unavailable',
            'vault-database-unavailable',
            'The database of the vault does not answer.',
            {
              cause,
            },
          );
        }
        throw cause;
      }
    },
    close: () => pool.end(),
  };
}

/** Raised by vault.require_active_kek. */
const KEK_NOT_ACTIVE = 'CW001';
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * No SQLSTATE: the server was never reached. 08 connection, 28 sign-in refused, 3D no such database, 53 resources, 57
 * operator intervention: all of them the operator's to mend, and trying again later is right.
 */
function isAway(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code !== 'string' || !SQLSTATE.test(code) || /^(08|28|3D|53|57)/.test(code);
}

/** SQLSTATE 23505. */
export function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown }).code === '23505';
}
