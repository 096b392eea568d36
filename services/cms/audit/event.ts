import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditEntry } from '../kernel/audit-entry.ts';

export type Outcome = 'done' | 'refused';

/** One line of the log, as readers see it. The id grows; it is text, because 2^53 is not the end of a bigint. */
export interface AuditEvent {
  readonly id: string;
  readonly time: Date;
  readonly actor: {
    readonly kind: Actor['kind'];
    readonly id: string;
    readonly name: string;
    readonly role: string | null;
  };
  readonly action: string;
  readonly object: { readonly kind: string; readonly id: string | null };
  readonly personId: string | null;
  readonly deviceId: string | null;
  readonly cardId: string | null;
  readonly certificateId: string | null;
  readonly enrolmentId: string | null;
  readonly unblockSessionId: string | null;
  readonly outcome: Outcome;
  readonly code: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly verification: { readonly method: string; readonly evidence: string } | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly requestId: string;
}

/**
 * The columns of a new event, with PostgreSQL's types. The id and the time are the database's own.
 * {@link auditValues} gives the values in this order.
 */
export const AUDIT_COLUMNS = [
  ['actor_kind', 'text'],
  ['actor_id', 'text'],
  ['actor_name', 'text'],
  ['actor_role', 'text'],
  ['action', 'text'],
  ['object_kind', 'text'],
  ['object_id', 'text'],
  ['person_id', 'uuid'],
  ['device_id', 'uuid'],
  ['card_id', 'uuid'],
  ['certificate_id', 'uuid'],
  ['enrolment_id', 'uuid'],
  ['unblock_session_id', 'uuid'],
  ['outcome', 'text'],
  ['code', 'text'],
  ['reason', 'text'],
  ['ticket', 'text'],
  ['verification', 'jsonb'],
  ['before', 'jsonb'],
  ['after', 'jsonb'],
  ['request_id', 'text'],
] as const;

export type AuditColumn = (typeof AUDIT_COLUMNS)[number][0];

export function auditValues(
  intent: Intent,
  entry: AuditEntry,
  outcome: Outcome = 'done',
  code: string | null = null,
): (string | null)[] {
  const { actor } = intent;
  const about = entry.about ?? {};
  const json = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));
  const values: Record<AuditColumn, string | null> = {
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    actor_role: actor.kind === 'operator' ? actor.role : null,
    action: entry.action,
    object_kind: entry.object.kind,
    object_id: entry.object.id,
    person_id: about.personId ?? null,
    device_id: about.deviceId ?? null,
    card_id: about.cardId ?? null,
    certificate_id: about.certificateId ?? null,
    enrolment_id: about.enrolmentId ?? null,
    unblock_session_id: about.unblockSessionId ?? null,
    outcome,
    code,
    reason: intent.reason ?? null,
    ticket: intent.ticket ?? null,
    verification: json(entry.verification),
    before: json(entry.before),
    after: json(entry.after),
    request_id: intent.requestId,
  };
  return AUDIT_COLUMNS.map(([column]) => values[column]);
}

/**
 * For statements that write an event together with something else: `INSERT INTO audit_events (…) SELECT $7::text, …`,
 * as a part of a CTE. `first` is the number of the first placeholder; the values are those of {@link auditValues}.
 */
export function auditInsertSelect(first: number, tail = ''): string {
  const columns = AUDIT_COLUMNS.map(([column]) => `"${column}"`).join(', ');
  const placeholders = AUDIT_COLUMNS.map(([, type], index) => `$${first + index}::${type}`).join(', ');
  return `INSERT INTO audit_events (${columns}) SELECT ${placeholders} ${tail}`.trimEnd();
}
