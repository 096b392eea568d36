import type pg from 'pg';
import type { AuthorityState, AuthorityStates, PendingWork } from './ports.ts';

const NOTE = `INSERT INTO authority_states (name, state, since, checked_at, code, detail) VALUES ($1, $2, $5, $5, $3, $4)
  ON CONFLICT (name) DO UPDATE SET state = excluded.state, checked_at = excluded.checked_at, code = excluded.code,
    detail = excluded.detail,
    since = CASE WHEN authority_states.state = excluded.state THEN authority_states.since ELSE excluded.since END
  WHERE authority_states.checked_at <= excluded.checked_at`;

const ALL = `SELECT name, state, since, checked_at AS "checkedAt", code, detail FROM authority_states`;

/** Only what waits is counted, by partial indexes: never the whole table. */
const PENDING = `
  SELECT authority, sum(certificates)::int AS certificates, sum(revocations)::int AS revocations, sum(unwanted)::int AS unwanted
  FROM (
    SELECT authority, count(*) AS certificates, 0 AS revocations, 0 AS unwanted
      FROM certificates WHERE status = 'proposed' GROUP BY authority
    UNION ALL
    SELECT c.authority, 0, count(*), 0 FROM revocations r JOIN certificates c ON c.id = r.certificate_id
      WHERE r.state = 'proposed' GROUP BY c.authority
    UNION ALL
    SELECT authority, 0, 0, count(*) FROM authority_answers WHERE state IN ('received', 'unwanted') GROUP BY authority
  ) AS waiting GROUP BY authority`;

export function createAuthorityStates(pool: pg.Pool): AuthorityStates {
  return {
    async note(name, state, code, detail, now) {
      await pool.query({ name: 'authority-note', text: NOTE, values: [name, state, code, detail, now] });
    },

    async all() {
      const { rows } = await pool.query<AuthorityState>({ name: 'authority-states', text: ALL });
      return rows;
    },

    async pending() {
      const { rows } = await pool.query<PendingWork & { authority: string }>({
        name: 'authority-pending',
        text: PENDING,
      });
      return new Map(rows.map(({ authority, ...work }) => [authority, work]));
    },
  };
}
