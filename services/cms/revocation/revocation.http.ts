import { Type } from 'typebox';
import type { CertificateId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, line, oneOf, Problem, paging, ref, ticket, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { HoldService } from './hold-certificate.ts';
import type { RevocationQueue } from './ports.ts';
import { REVOCATION_REASONS } from './revocation.ts';
import type { RevocationService } from './revoke-certificate.ts';
import {
  HoldList,
  HoldSchema,
  QueuedRevocationList,
  RevocationSchema,
  toBody,
  toHoldBody,
  toQueuedBody,
} from './schema.http.ts';

export interface RevocationRoutes {
  readonly revocations: RevocationService;
  readonly holdService: HoldService;
  readonly revocationQueue: RevocationQueue;
}

const params = closed({ certificateId: id<CertificateId>() });
export const comment = line(500, { description: 'Why, in words. Kept in the audit log.' });
export const invalidityDate = time({
  description: 'RFC 5280 section 5.3.2: since when the certificate is not to be trusted. Within its life so far.',
});

export function registerRevocationRoutes(app: App, deps: RevocationRoutes): void {
  const { revocations } = deps;
  const url = '/api/v1/certificates/:certificateId/revocations';

  app.post(
    url,
    {
      config: { permission: 'certificates:revoke', act: 'certificate.revocation-requested' },
      schema: {
        operationId: 'revokeCertificate',
        summary: 'Revoke a certificate, for ever.',
        description:
          'The decision is recorded before the CA is told. When the CA does not answer, `state` is `proposed` and the worker tells it. Asking again with the same reason gives the same revocation. A certificate on hold can be revoked too.',
        tags: ['certificates'],
        params,
        body: closed(
          {
            reason: oneOf(REVOCATION_REASONS, { description: 'RFC 5280 section 5.3.1.' }),
            comment,
            ticket: Type.Optional(ticket),
            invalidityDate: Type.Optional(invalidityDate),
          },
          { examples: [{ reason: 'keyCompromise', comment: 'Laptop stolen from a car', ticket: 'INC-20417' }] },
        ),
        response: { 201: ref(RevocationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { reason, comment, ticket: reference, invalidityDate: since } = request.body;
      const intent = intentOf(request, { reason: comment, ticket: reference });
      const why = { reason, comment, invalidityDate: since === undefined ? undefined : new Date(since) };
      const revocation = await revocations.revoke(intent, request.params.certificateId, why);
      return reply.code(201).send(toBody(revocation));
    },
  );

  app.get(
    url,
    {
      config: { permission: 'certificates:read', etag: true },
      schema: {
        operationId: 'getRevocation',
        summary: "A certificate's revocation, and whether the CA has it.",
        tags: ['certificates'],
        params,
        response: { 200: ref(RevocationSchema), default: ref(Problem) },
      },
    },
    async (request) => toBody(await revocations.find(request.params.certificateId)),
  );

  app.get(
    '/api/v1/revocations',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listRevocations',
        summary: 'Revocations, newest first. Those proposed wait for their CA.',
        tags: ['certificates'],
        querystring: closed({
          state: Type.Optional(oneOf(['proposed', 'confirmed'])),
          authority: Type.Optional(line(64, { description: 'Name of the CA.' })),
          ...paging,
        }),
        response: { 200: ref(QueuedRevocationList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { cursor, state, authority } = request.query;
      const limit = limitOf(request.query);
      const rows = await deps.revocationQueue.list({ state, authority }, decodeCursor(cursor, UUID_KEY), limit + 1);
      return pageOf(rows, limit, (row) => row.id, toQueuedBody);
    },
  );
  registerHoldRoutes(app, deps);
}

function registerHoldRoutes(app: App, { holdService }: RevocationRoutes): void {
  const url = '/api/v1/certificates/:certificateId/holds';
  const body = closed(
    { comment, ticket: Type.Optional(ticket) },
    { examples: [{ comment: 'Laptop not found at home', ticket: 'INC-20417' }] },
  );

  app.post(
    url,
    {
      config: { permission: 'certificates:revoke', act: 'certificate.hold-requested' },
      schema: {
        operationId: 'holdCertificate',
        summary: 'Put a certificate on hold: nobody accepts it until it is released.',
        tags: ['certificates'],
        params,
        body,
        response: { 201: ref(HoldSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { comment, ticket: reference } = request.body;
      const intent = intentOf(request, { reason: comment, ticket: reference });
      const hold = await holdService.act(intent, request.params.certificateId, 'hold', comment);
      return reply.code(201).send(toHoldBody(hold));
    },
  );

  app.post(
    '/api/v1/certificates/:certificateId/releases',
    {
      config: { permission: 'certificates:revoke', act: 'certificate.release-requested' },
      schema: {
        operationId: 'releaseCertificate',
        summary: 'Release a certificate from its hold: it is accepted again.',
        tags: ['certificates'],
        params,
        body,
        response: { 201: ref(HoldSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { comment, ticket: reference } = request.body;
      const intent = intentOf(request, { reason: comment, ticket: reference });
      const release = await holdService.act(intent, request.params.certificateId, 'release', comment);
      return reply.code(201).send(toHoldBody(release));
    },
  );

  app.get(
    url,
    {
      config: { permission: 'certificates:read', etag: true },
      schema: {
        operationId: 'listHolds',
        summary: "A certificate's holds and releases, newest first: at most the last 100.",
        tags: ['certificates'],
        params,
        response: { 200: ref(HoldList), default: ref(Problem) },
      },
    },
    async (request) => ({ items: (await holdService.history(request.params.certificateId)).map(toHoldBody) }),
  );
}
