import { DomainError } from '@cardwright/protocol';
import pg from 'pg';

/** SQLSTATE classes that mean: not now, not: not so. 08 connection, 53 resources, 57 operator or timeout, 40 rollback. */
const PASSING = /^(08|53|57|40)/;
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

export interface Queries {
  /** A prepared statement; `name` must stand for one text. */
  query<Row extends pg.QueryResultRow>(name: string, text: string, values: readonly unknown[]): Promise<Row[]>;
}

export interface Database extends Queries {
  /** All or nothing. `work` must use only what it is given. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** The same, and all that is read is of one moment; what was written since by others can't be written any more. */
  snapshot<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Runs `work` while no other process of this database holds the lock of that number. */
  exclusively<T>(lock: number, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * @param url the ca role's own; it sees only schema ca
 * @param onIdleError told of connections lost while nobody used them; the pool replaces them
 * @param connections at most so many at a time; what needs one more waits
 * Every call may throw DomainError `ca-database-unavailable` (unavailable): whether a write was done is then unknown.
 */
export function openDatabase(url: string, onIdleError: (error: Error) => void, connections = 10): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5000,
    statement_timeout: 30_000,
    // For a network that swallows everything: nobody else would ever say so.
    query_timeout: 35_000,
    application_name: 'cardwright-ca',
  });
  pool.on('error', onIdleError);

  const queriesOn = (client: pg.Pool | pg.PoolClient): Queries => ({
    async query<Row extends pg.QueryResultRow>(name: string, text: string, values: readonly unknown[]) {
      try {
        const { rows } = await client.query<Row>({ name, text, values: [...values] });
        return rows;
      } catch (error) {
        throw translated(error);
      }
    },
  });

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error: unknown) => {
      throw translated(error);
    });
    let failure: Error | undefined;
    // The pool hears of idle connections only. One that is lost between two queries would end the process if nobody listened.
    const onLost = (error: Error) => {
      failure = error;
    };
    client.on('error', onLost);
    try {
      return await work(client);
    } catch (error) {
      failure = error instanceof Error ? error : new Error('not an Error', { cause: error });
      throw error;
    } finally {
      client.off('error', onLost);
      // A connection on which something failed may be in the midst of a transaction or hold a lock: it is not reused.
      client.release(failure);
    }
  }

  const inTransaction = <T>(name: string, begin: string, work: (queries: Queries) => Promise<T>) =>
    withClient(async (client) => {
      const queries = queriesOn(client);
      await queries.query(name, begin, []);
      const result = await work(queries);
      await queries.query('commit', 'COMMIT', []);
      return result;
    });

  return {
    ...queriesOn(pool),
    transaction: (work) => inTransaction('begin', 'BEGIN', work),
    snapshot: (work) => inTransaction('begin-snapshot', 'BEGIN ISOLATION LEVEL REPEATABLE READ', work),
    exclusively: (lock, work) =>
      withClient(async (client) => {
        const queries = queriesOn(client);
        await queries.query('lock', 'SELECT pg_advisory_lock($1)', [lock]);
        const result = await work();
        await queries.query('unlock', 'SELECT pg_advisory_unlock($1)', [lock]);
        return result;
      }),
    close: () => pool.end(),
  };
}

function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as Error & { code?: string };
  const lost = /Connection terminated|timeout exceeded when trying to connect|Query read timeout/.test(error.message);
  if (!lost && (code === undefined || !(PASSING.test(code) || NETWORK.has(code)))) return error;
  return new DomainError('unavailable', 'ca-database-unavailable', "the CA's database does not answer", {
    cause: error,
  });
}
