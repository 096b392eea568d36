import type pg from 'pg';

/** Any fixed number: the key of the advisory lock that one worker of a database holds during a round. */
const LOCK = 72_707_370;

/**
 * Runs `work` unless another worker is at it. The lock is of the connection: PostgreSQL lets it go when this process or
 * its connection dies, at whatever point.
 * @returns null when another worker holds the lock.
 */
export async function withLock<T>(pool: pg.Pool, work: () => Promise<T>): Promise<T | null> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [LOCK]);
    if (rows[0]?.held !== true) return null;
    try {
      return await work();
    } finally {
      // A connection that died took the lock with it.
      await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(onError);
    }
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
