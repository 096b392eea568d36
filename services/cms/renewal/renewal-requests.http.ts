import { Type } from 'typebox';
import type { CertificateId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, id, oneOf, Problem, reason, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type RequestRenewalPorts, requestRenewal } from './request-renewal.ts';

const RequestedRenewalSchema = Type.Object(
  {
    taskId: Type.String({ description: 'Of the device: GET /devices/{id}/tasks says what came of it.' }),
    key: oneOf(['same', 'new'], {
      description: 'same: the device renews it by itself. new: its holder is told, who makes the key with the PIN.',
    }),
  },
  { $id: 'RequestedRenewal', examples: [{ taskId: '0199f2a0-7777-7000-8000-000000000007', key: 'same' }] },
);
export const renewalRequestComponents = [RequestedRenewalSchema];

export function registerRenewalRequestRoutes(app: App, deps: RequestRenewalPorts): void {
  app.post(
    '/api/v1/certificates/:certificateId/renewals',
    {
      config: { permission: 'enrolments:create', act: 'certificate.renewal-requested' },
      schema: {
        operationId: 'requestRenewal',
        summary: 'Have a certificate renewed now, whatever its window, at the next check-in of its device.',
        description:
          'It stays in force until its device has stored the next one. Asked again while that is not done, it is the same task.',
        tags: ['certificates'],
        params: closed({ certificateId: id<CertificateId>() }),
        body: closed(
          { reason, ticket: Type.Optional(ticket) },
          { examples: [{ reason: 'The name of its holder has changed', ticket: 'INC-20417' }] },
        ),
        response: { 201: ref(RequestedRenewalSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const requested = await requestRenewal(deps, intentOf(request, request.body), request.params.certificateId);
      return reply.code(201).send(requested);
    },
  );
}
