import type pg from 'pg';
import type { AuditEvent } from './event.ts';
import type { AuditFilters, AuditLog } from './ports.ts';

const COLUMN: Record<Exclude<keyof AuditFilters, 'from' | 'to'>, string> = {
  deviceId: 'device_id',
  personId: 'person_id',
  cardId: 'card_id',
  certificateId: 'certificate_id',
  enrolmentId: 'enrolment_id',
  unblockSessionId: 'unblock_session_id',
  actorId: 'actor_id',
  action: 'action',
  outcome: 'outcome',
  requestId: 'request_id',
};

/** Names of columns come from the table above only; every value is a parameter. */
export function createAuditLog(pool: pg.Pool): AuditLog {
  return {
    async list(filters, before, limit) {
      const values: unknown[] = [limit];
      const where: string[] = [];
      const add = (condition: (placeholder: string) => string, value: unknown) => {
        if (value === undefined || value === null) return;
        values.push(value);
        where.push(condition(`$${values.length}`));
      };
      for (const [filter, column] of Object.entries(COLUMN)) {
        add((p) => `${column} = ${p}`, filters[filter as keyof typeof COLUMN]);
      }
      add((p) => `time >= ${p}`, filters.from);
      add((p) => `time < ${p}`, filters.to);
      add((p) => `id < ${p}::bigint`, before);
      const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
      const { rows } = await pool.query<Row>(
        `SELECT id::text, time, actor_kind, actor_id, actor_name, actor_role, action, object_kind, object_id, person_id,
          device_id, card_id, certificate_id, enrolment_id, unblock_session_id, outcome, code, reason, ticket,
          verification, before, after, request_id
        FROM audit_events ${condition} ORDER BY audit_events.id DESC LIMIT $1`,
        values,
      );
      return rows.map(toEvent);
    },
  };
}

interface Row {
  id: string;
  time: Date;
  actor_kind: AuditEvent['actor']['kind'];
  actor_id: string;
  actor_name: string;
  actor_role: string | null;
  action: string;
  object_kind: string;
  object_id: string | null;
  person_id: string | null;
  device_id: string | null;
  card_id: string | null;
  certificate_id: string | null;
  enrolment_id: string | null;
  unblock_session_id: string | null;
  outcome: 'done' | 'refused';
  code: string | null;
  reason: string | null;
  ticket: string | null;
  verification: { method: string; evidence: string } | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  request_id: string;
}

function toEvent(row: Row): AuditEvent {
  return {
    id: row.id,
    time: row.time,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name, role: row.actor_role },
    action: row.action,
    object: { kind: row.object_kind, id: row.object_id },
    personId: row.person_id,
    deviceId: row.device_id,
    cardId: row.card_id,
    certificateId: row.certificate_id,
    enrolmentId: row.enrolment_id,
    unblockSessionId: row.unblock_session_id,
    outcome: row.outcome,
    code: row.code,
    reason: row.reason,
    ticket: row.ticket,
    verification: row.verification,
    before: row.before,
    after: row.after,
    requestId: row.request_id,
  };
}
