import type { DomainError } from '@cardwright/protocol';
import type { FastifyRequest } from 'fastify';
import type { AuditEntry, RefusalTrail } from '../kernel/audit-entry.ts';
import { intentOf } from './authentication.http.ts';
import { isUnsafe } from './route-config.http.ts';

/** Kinds that say nothing about what a caller may or may not do. An unknown caller's knocking is for the log and the limits. */
const NOT_RECORDED = new Set(['internal', 'unauthenticated', 'too-many']);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const ABOUT = ['personId', 'deviceId', 'cardId', 'certificateId', 'enrolmentId', 'unblockSessionId'] as const;

/**
 * Writes the refusal of an unsafe operation into the audit log, before the refusal is answered. The objects are those
 * that the path names, then those that the body names; the reason and ticket are those that the caller gave.
 */
export async function recordRefusal(trail: RefusalTrail, request: FastifyRequest, error: DomainError): Promise<void> {
  const { act, permission } = request.routeOptions.config;
  if (act === undefined || !isUnsafe(request.method) || NOT_RECORDED.has(error.kind)) return;
  if (request.principal === null && permission !== 'public') return;
  const given = { ...fieldsOf(request.body), ...fieldsOf(request.params) };
  const ids = ABOUT.flatMap((name) => {
    const value = given[name] ?? (name === 'unblockSessionId' ? given.sessionId : undefined);
    return typeof value === 'string' && UUID.test(value) ? [[name, value] as const] : [];
  });
  const about: AuditEntry['about'] = Object.fromEntries(ids);
  const [kind = 'unknown'] = act.split('.');
  const objectId = Object.values(fieldsOf(request.params)).find(
    (value): value is string => typeof value === 'string' && UUID.test(value),
  );
  const intent = intentOf(request, { reason: textOf(given.reason, 500), ticket: textOf(given.ticket, 100) });
  await trail.refused(intent, { action: act, object: { kind, id: objectId ?? null }, about }, error.code);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The body may have failed validation: what is kept of it is bounded here again. PostgreSQL takes no NUL in text. */
function textOf(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, maxLength).replaceAll('\u0000', '') : undefined;
}
