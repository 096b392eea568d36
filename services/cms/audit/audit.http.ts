import { Type } from 'typebox';
import { decodeCursor, limitOf, NUMBER_KEY, pageOf } from '../platform/cursor.ts';
import { closed, id, line, listOf, nullable, oneOf, Problem, paging, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { AuditEvent } from './event.ts';
import type { AuditLog } from './ports.ts';

const uuidOrNull = nullable(Type.String());
const facts = nullable(Type.Object({}, { additionalProperties: true }));

export const AuditEventSchema = Type.Object(
  {
    id: Type.String({ description: 'Grows with each event.' }),
    time: time(),
    actor: Type.Object({
      kind: oneOf(['operator', 'device', 'enrolment-code', 'anonymous', 'system']),
      id: Type.String(),
      name: Type.String(),
      role: nullable(Type.String()),
    }),
    action: Type.String({ description: '`noun.verb`, stable.' }),
    object: Type.Object({ kind: Type.String(), id: nullable(Type.String()) }),
    personId: uuidOrNull,
    deviceId: uuidOrNull,
    cardId: uuidOrNull,
    certificateId: uuidOrNull,
    enrolmentId: uuidOrNull,
    unblockSessionId: uuidOrNull,
    outcome: oneOf(['done', 'refused']),
    code: nullable(Type.String({ description: 'Why it was refused.' })),
    reason: nullable(Type.String()),
    ticket: nullable(Type.String()),
    verification: nullable(Type.Object({ method: Type.String(), evidence: Type.String() })),
    before: facts,
    after: facts,
    requestId: Type.String(),
  },
  {
    $id: 'AuditEvent',
    examples: [
      {
        id: '1042',
        time: '2026-03-02T09:15:27.120Z',
        actor: { kind: 'operator', id: '0199f2a0-4444-7000-8000-000000000004', name: 'helpdesk', role: 'helpdesk' },
        action: 'unblock.answered',
        object: { kind: 'unblock-session', id: '0199f2a0-5555-7000-8000-000000000005' },
        personId: '0199f2a0-1111-7000-8000-000000000001',
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
        cardId: '0199f2a0-3333-7000-8000-000000000003',
        certificateId: null,
        enrolmentId: null,
        unblockSessionId: '0199f2a0-5555-7000-8000-000000000005',
        outcome: 'done',
        code: null,
        reason: 'Caller forgot the PIN',
        ticket: 'INC-20417',
        verification: { method: 'call-back', evidence: 'Number on record' },
        before: { state: 'open' },
        after: { state: 'answered' },
        requestId: '0199f2a0-9999-7000-8000-000000000009',
      },
    ],
  },
);

const AuditEventList = listOf(AuditEventSchema, { $id: 'AuditEventList' });

export const auditComponents = [AuditEventSchema, AuditEventList];

const toBody = (event: AuditEvent) => ({ ...event, time: event.time.toISOString() });

export function registerAuditRoutes(app: App, deps: { readonly log: AuditLog }): void {
  app.get(
    '/api/v1/audit/events',
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'listAuditEvents',
        summary: 'What was done and what was refused, newest first.',
        tags: ['audit'],
        querystring: closed({
          deviceId: Type.Optional(id()),
          personId: Type.Optional(id()),
          cardId: Type.Optional(id()),
          certificateId: Type.Optional(id()),
          enrolmentId: Type.Optional(id()),
          unblockSessionId: Type.Optional(id()),
          actorId: Type.Optional(line(100)),
          action: Type.Optional(line(100, { examples: ['unblock.answered'] })),
          requestId: Type.Optional(line(100, { description: 'All that one request led to, later too.' })),
          outcome: Type.Optional(oneOf(['done', 'refused'])),
          from: Type.Optional(time({ description: 'At or after.' })),
          to: Type.Optional(time({ description: 'Before.' })),
          ...paging,
        }),
        response: { 200: ref(AuditEventList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { cursor, from, to, limit: _limit, ...filters } = request.query;
      const limit = limitOf(request.query);
      const window = {
        from: from === undefined ? undefined : new Date(from),
        to: to === undefined ? undefined : new Date(to),
      };
      const rows = await deps.log.list({ ...filters, ...window }, decodeCursor(cursor, NUMBER_KEY), limit + 1);
      return pageOf(rows, limit, (event) => event.id, toBody);
    },
  );
}
