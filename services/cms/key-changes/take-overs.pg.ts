import type pg from 'pg';
import type { TakeOvers } from './ports.ts';

/** One that failed was asked for: whether it is again is for an operator. */
const TO_BEGIN = `SELECT c.id FROM cards c WHERE c.take_over_pending AND c.state = 'created' AND c.key_version IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM key_changes k WHERE k.card_id = c.id)
  ORDER BY c.id LIMIT $1`;

export function createTakeOvers(pool: pg.Pool): TakeOvers {
  return {
    async toBegin(limit) {
      const { rows } = await pool.query<{ id: string }>({ name: 'take-overs', text: TO_BEGIN, values: [limit] });
      return rows.map(({ id }) => id);
    },
  };
}
