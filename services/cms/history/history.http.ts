import { type Static, Type } from 'typebox';
import { certificateNotFound } from '../certificates/index.ts';
import type { CertificateId } from '../kernel/ids.ts';
import { decodeCursor, limitOf, NUMBER_KEY, pageOf } from '../platform/cursor.ts';
import { closed, id, listOf, nullable, oneOf, Problem, paging, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { CertificateHistory, CertificateState } from './ports.ts';

const CertificateStateSchema = Type.Object(
  {
    number: Type.Integer({ description: '1, 2, 3 … without gaps.' }),
    since: time(),
    status: oneOf(['proposed', 'active', 'on-hold', 'revoked', 'failed']),
    decision: nullable(
      Type.Object(
        {
          state: oneOf(['proposed', 'confirmed', 'superseded'], { description: 'confirmed: the CA has it.' }),
          reason: Type.String({ description: 'RFC 5280 section 5.3.1; removeFromCRL: released from a hold.' }),
          effectiveAt: time(),
        },
        { description: 'The last one to revoke, to hold or to release.' },
      ),
    ),
    by: nullable(
      Type.Object(
        {
          eventId: Type.String({ description: 'In the audit log.' }),
          action: Type.String(),
          actor: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
          requestId: Type.String(),
          reason: nullable(Type.String()),
          ticket: nullable(Type.String()),
        },
        { description: 'Null for what happened before this history was kept.' },
      ),
    ),
  },
  {
    $id: 'CertificateState',
    examples: [
      {
        number: 2,
        since: '2026-11-20T09:00:00.120Z',
        status: 'active',
        decision: null,
        by: {
          eventId: '4711',
          action: 'certificate.issued',
          actor: { kind: 'device', id: '0199f2a0-2222-7000-8000-000000000002', name: 'lap-0421' },
          requestId: '0199f2a0-9999-7000-8000-000000000009',
          reason: null,
          ticket: null,
        },
      },
    ],
  },
);
const CertificateHistorySchema = listOf(CertificateStateSchema, { $id: 'CertificateHistory' });
export const historyComponents = [CertificateStateSchema, CertificateHistorySchema];

export function registerHistoryRoutes(app: App, deps: { readonly history: CertificateHistory }): void {
  app.get(
    '/api/v1/certificates/:certificateId/history',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'getCertificateHistory',
        summary: 'Every state that a certificate was ever in, newest first, and who brought it there.',
        description:
          'Noted by the database itself, so that no way of changing a certificate goes past it. That it expired is no change: see its `notAfter`.',
        tags: ['certificates'],
        params: closed({ certificateId: id<CertificateId>() }),
        querystring: closed(paging),
        response: { 200: ref(CertificateHistorySchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const key = decodeCursor(request.query.cursor, NUMBER_KEY);
      const after = key === null ? null : Math.min(Number(key), 2 ** 31 - 1);
      const states = await deps.history.statesOf(request.params.certificateId, after, limit + 1);
      if (states === null) throw certificateNotFound();
      return pageOf(states, limit, ({ number }) => `${number}`, toBody);
    },
  );
}

function toBody({ since, decision, ...state }: CertificateState): Static<typeof CertificateStateSchema> {
  return {
    ...state,
    since: since.toISOString(),
    decision: decision === null ? null : { ...decision, effectiveAt: decision.effectiveAt.toISOString() },
  };
}
