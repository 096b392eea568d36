import type pg from 'pg';
import type { Due, QueuedRevocation, RevocationQueue } from './ports.ts';
import type { Revocation } from './revocation.ts';
import { tellingOf } from './revocations.prisma.ts';

/** A certificate that the CA has not issued yet can't be revoked there: who settles the issuance goes on. */
const DUE = `SELECT what, certificate_id AS "certificateId", authority, attempts FROM (
    SELECT waiting.*, row_number() OVER (PARTITION BY authority ORDER BY next_attempt_at, certificate_id) AS place FROM (
      SELECT 'revocation' AS what, r.certificate_id, r.next_attempt_at, r.attempts, c.authority
        FROM revocations r JOIN certificates c ON c.id = r.certificate_id
        WHERE r.state = 'proposed' AND r.next_attempt_at <= $1 AND c.status <> 'proposed'
      UNION ALL
      SELECT h.act, h.certificate_id, h.next_attempt_at, h.attempts, c.authority
        FROM certificate_holds h JOIN certificates c ON c.id = h.certificate_id
        WHERE h.state = 'proposed' AND h.next_attempt_at <= $1
    ) AS waiting
  ) AS placed WHERE place <= $2 ORDER BY authority, place`;

const TABLES = ['revocations', 'certificate_holds'] as const;

export function createRevocationQueue(pool: pg.Pool): RevocationQueue {
  return {
    async due(now, perAuthority) {
      const { rows } = await pool.query<Due>({ name: 'revocations-due', text: DUE, values: [now, perAuthority] });
      return rows;
    },

    async defer(authority, now, until) {
      for (const table of TABLES) {
        await pool.query(
          `UPDATE ${table} AS t SET next_attempt_at = $3 FROM certificates c WHERE c.id = t.certificate_id
             AND c.authority = $1 AND t.state = 'proposed' AND t.next_attempt_at <= $2`,
          [authority, now, until],
        );
      }
    },

    async hasten(authority, now) {
      for (const table of TABLES) {
        await pool.query(
          `UPDATE ${table} AS t SET next_attempt_at = $2 FROM certificates c WHERE c.id = t.certificate_id
             AND c.authority = $1 AND t.state = 'proposed' AND t.next_attempt_at > $2 AND NOT t.refused
             AND (t.attempts > 0 OR t.created_at < $2::timestamptz - interval '15 seconds')`,
          [authority, now],
        );
      }
    },

    async list({ state, authority }, after, limit) {
      const { rows } = await pool.query<Row>({
        name: 'revocations-list',
        text: `SELECT r.id, r.certificate_id AS "certificateId", r.state, r.reason, r.comment, r.ticket,
            r.requested_by_id AS "requestedById", r.requested_by_name AS "requestedByName", r.request_id AS "requestId",
            r.revoked_at AS "revokedAt", r.invalidity_date AS "invalidityDate", r.created_at AS "createdAt",
            r.confirmed_at AS "confirmedAt", r.attempts, r.last_error AS "lastError",
            r.last_error_detail AS "lastErrorDetail", r.refused, r.next_attempt_at AS "nextAttemptAt",
            c.authority, c.serial_number AS "serialNumber", c.card_id AS "cardId", c.person_id AS "personId"
          FROM revocations r JOIN certificates c ON c.id = r.certificate_id
          WHERE ($1::text IS NULL OR r.state = $1) AND ($2::text IS NULL OR c.authority = $2)
            AND ($3::uuid IS NULL OR r.id < $3) ORDER BY r.id DESC LIMIT $4`,
        values: [state ?? null, authority ?? null, after, limit],
      });
      return rows.map(toQueued);
    },
  };
}

type Row = Omit<Revocation, 'lastError' | 'requestedBy'> &
  Parameters<typeof tellingOf>[0] &
  Omit<QueuedRevocation, keyof Revocation> & { requestedById: string; requestedByName: string };

function toQueued(row: Row): QueuedRevocation {
  const { requestedById, requestedByName, lastErrorDetail: _detail, refused: _refused, ...plain } = row;
  return { ...plain, ...tellingOf(row), requestedBy: { id: requestedById, name: requestedByName } };
}
