import type pg from 'pg';
import type { CertificateHistory, CertificateState } from './ports.ts';

/** A state and the event that caused it were written in one transaction: its number is on both. */
const TEXT = `SELECT s.number, s.since, s.status, s.decision, s.reason AS "decisionReason", s.effective_at AS "effectiveAt",
  e.id::text AS "eventId", e.action, e.actor_kind AS "actorKind", e.actor_id AS "actorId", e.actor_name AS "actorName",
  e.request_id AS "requestId", e.reason, e.ticket
  FROM certificate_states s LEFT JOIN LATERAL (SELECT * FROM audit_events
    WHERE certificate_id = s.certificate_id AND transaction_id = s.transaction_id AND outcome = 'done'
    ORDER BY id LIMIT 1) e ON true
  WHERE s.certificate_id = $1 AND s.number < $2 ORDER BY s.number DESC LIMIT $3`;
const NO_NUMBER_IS_HIGHER = 2 ** 31 - 1;

interface Row {
  number: number;
  since: Date;
  status: CertificateState['status'];
  decision: NonNullable<CertificateState['decision']>['state'] | null;
  decisionReason: string | null;
  effectiveAt: Date | null;
  eventId: string | null;
  action: string;
  actorKind: string;
  actorId: string;
  actorName: string;
  requestId: string;
  reason: string | null;
  ticket: string | null;
}

export function createCertificateHistory(pool: pg.Pool): CertificateHistory {
  return {
    async statesOf(certificateId, after, limit) {
      const values = [certificateId, after ?? NO_NUMBER_IS_HIGHER, limit];
      const { rows } = await pool.query<Row>({ name: 'certificate-states', text: TEXT, values });
      // Every certificate has a first state: the database notes it with the row.
      return rows.length === 0 && after === null ? null : rows.map(toState);
    },
  };
}

function toState(row: Row): CertificateState {
  const { number, since, status, decision, decisionReason, effectiveAt, eventId, action, requestId, reason, ticket } =
    row;
  const actor = { kind: row.actorKind, id: row.actorId, name: row.actorName };
  const decided =
    decision === null || decisionReason === null || effectiveAt === null
      ? null
      : { state: decision, reason: decisionReason, effectiveAt };
  const by = eventId === null ? null : { eventId, action, actor, requestId, reason, ticket };
  return { number, since, status, decision: decided, by };
}
