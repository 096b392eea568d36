import type pg from 'pg';
import type { IdempotencyKeys } from './idempotency.http.ts';

interface Row {
  same: boolean;
  status: number | null;
  answer: { body: unknown } | null;
  stale: boolean;
}

/** A request ends within the server's time limits; one that is older than this was cut off. */
const UNDER_WAY = "interval '60 seconds'";

export function createIdempotencyKeys(pool: pg.Pool): IdempotencyKeys & { sweep(): Promise<number> } {
  return {
    async begin({ actorId, key, operation, bodyHash }) {
      const inserted = await pool.query({
        name: 'idempotency-begin',
        text: `INSERT INTO idempotency_keys AS k (actor_id, key, operation, body_hash, created_at) VALUES ($1, $2, $3, $4, now())
          ON CONFLICT (actor_id, key) DO UPDATE SET operation = $3, body_hash = $4, status = NULL, answer = NULL, created_at = now()
          WHERE k.created_at < now() - interval '24 hours' RETURNING 1`,
        values: [actorId, key, operation, bodyHash],
      });
      if (inserted.rowCount === 1) return { kind: 'new' };
      const { rows } = await pool.query<Row>({
        name: 'idempotency-find',
        text: `SELECT operation = $3 AND body_hash = $4 AS same, status, answer, created_at < now() - ${UNDER_WAY} AS stale
          FROM idempotency_keys WHERE actor_id = $1 AND key = $2`,
        values: [actorId, key, operation, bodyHash],
      });
      const [row] = rows;
      // Gone between the two statements: the first request was refused just now. The caller may try again.
      if (row === undefined) return { kind: 'under-way' };
      if (!row.same) return { kind: 'reused-otherwise' };
      if (row.status === null) return { kind: row.stale ? 'unknown-outcome' : 'under-way' };
      if (row.answer === null) return { kind: 'shown-once' };
      return { kind: 'answered', status: row.status, body: row.answer.body };
    },

    async finish({ actorId, key }, status, answer) {
      await pool.query({
        name: 'idempotency-finish',
        text: 'UPDATE idempotency_keys SET status = $3, answer = $4 WHERE actor_id = $1 AND key = $2',
        values: [actorId, key, status, answer === null ? null : JSON.stringify(answer)],
      });
    },

    async forget({ actorId, key }) {
      await pool.query({
        name: 'idempotency-forget',
        text: 'DELETE FROM idempotency_keys WHERE actor_id = $1 AND key = $2 AND status IS NULL',
        values: [actorId, key],
      });
    },

    async sweep() {
      const done = await pool.query("DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'");
      return done.rowCount ?? 0;
    },
  };
}
