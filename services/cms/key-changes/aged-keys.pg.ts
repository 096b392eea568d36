import type pg from 'pg';
import type { AgedKeys } from './ports.ts';

/** By the index of cards over profile and age: a profile without the wish costs nothing, and of the others the oldest come. */
const DUE = `SELECT c.id FROM card_profiles p JOIN cards c ON c.profile_name = p.name
    AND c.key_set_at < $1::timestamptz - make_interval(days => p.key_rotation_days)
  JOIN devices d ON d.id = c.device_id AND d.checked_in_at >= $2
  WHERE p.key_rotation_days IS NOT NULL AND c.state IN ('active', 'blocked') AND c.key_version IS NOT NULL
    AND c.key_strategy <> 'random-not-stored'
    AND NOT EXISTS (SELECT 1 FROM key_changes k WHERE k.card_id = c.id
      AND (k.state IN ('requested', 'offered') OR (k.state IN ('failed', 'cancelled') AND k.created_at >= $3)))
    AND (SELECT count(*) FROM key_changes k WHERE k.card_id = c.id AND k.kind = 'rotation' AND k.state = 'confirmed') < $5
  ORDER BY c.key_set_at LIMIT $4`;

export function createAgedKeys(pool: pg.Pool): AgedKeys {
  return {
    async due({ now, seenSince, retryAfter, maxRotations }, limit) {
      const values = [now, seenSince, retryAfter, limit, maxRotations];
      const { rows } = await pool.query<{ id: string }>({ name: 'aged-keys', text: DUE, values });
      return rows.map(({ id }) => id);
    },
  };
}
