import type pg from 'pg';
import type { AuditTrail, RefusalTrail } from '../kernel/audit-entry.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import { AUDIT_COLUMNS, auditInsertSelect, auditValues } from './event.ts';

const INSERT = auditInsertSelect(1);

/** In the transaction of the act: both are written, or neither. */
export function createAuditTrail(): AuditTrail {
  return {
    async record(tx, intent, entry) {
      await clientOf(tx).$executeRawUnsafe(INSERT, ...auditValues(intent, entry));
    },
  };
}

/**
 * A refused request often names only a card or a session: whose it is and on which device is filled in from the record,
 * so that an auditor who asks by device or by person sees the refusals too. What the request itself names wins: it is
 * what was asked for.
 */
export function createRefusalTrail(pool: pg.Pool): RefusalTrail {
  const columns = AUDIT_COLUMNS.map(([column]) => `"${column}"`).join(', ');
  const placeholders = AUDIT_COLUMNS.map(([, type], index) => `$${index + 1}::${type}`).join(', ');
  const filled = AUDIT_COLUMNS.map(([column]) =>
    column === 'person_id' || column === 'device_id' || column === 'card_id'
      ? `coalesce(given."${column}", c."${column === 'card_id' ? 'id' : column}", z."${column}", e."${column}")`
      : `given."${column}"`,
  ).join(', ');
  const text = `WITH given (${columns}) AS (VALUES (${placeholders}))
    INSERT INTO audit_events (${columns}) SELECT ${filled} FROM given
    LEFT JOIN certificates z ON z.id = given.certificate_id
    LEFT JOIN enrolments e ON e.id = given.enrolment_id
    LEFT JOIN unblock_sessions s ON s.id = given.unblock_session_id
    LEFT JOIN cards c ON c.id = coalesce(given.card_id, s.card_id)`;
  return {
    async refused(intent, entry, code) {
      await pool.query({ name: 'audit-refused', text, values: auditValues(intent, entry, 'refused', code) });
    },
  };
}
