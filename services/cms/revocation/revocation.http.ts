import { type Static, Type } from 'typebox';
import type { CertificateId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, id, line, nullable, OperatorRef, oneOf, Problem, ref, ticket, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { REVOCATION_REASONS, type Revocation } from './revocation.ts';
import type { RevocationService } from './revoke-certificate.ts';

const RevocationSchema = Type.Object(
  {
    id: Type.String(),
    certificateId: Type.String(),
    state: oneOf(['proposed', 'confirmed'], {
      description: 'proposed: decided and recorded, the CA is being told. confirmed: the CA has it.',
    }),
    reason: oneOf(REVOCATION_REASONS),
    comment: Type.String(),
    ticket: nullable(Type.String()),
    revokedAt: time(),
    requestedBy: ref(OperatorRef),
    createdAt: time(),
    confirmedAt: nullable(time()),
  },
  {
    $id: 'Revocation',
    examples: [
      {
        id: '0199f2a0-6666-7000-8000-000000000006',
        certificateId: '0199f2a0-5555-7000-8000-000000000005',
        state: 'confirmed',
        reason: 'keyCompromise',
        comment: 'Laptop stolen from a car',
        ticket: 'INC-20417',
        revokedAt: '2026-11-20T09:30:00.000Z',
        requestedBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'security-officer' },
        createdAt: '2026-11-20T09:30:00.000Z',
        confirmedAt: '2026-11-20T09:30:00.120Z',
      },
    ],
  },
);
export const revocationComponents = [RevocationSchema];

export function registerRevocationRoutes(app: App, revocations: RevocationService): void {
  const url = '/api/v1/certificates/:certificateId/revocations';
  const params = closed({ certificateId: id<CertificateId>() });

  app.post(
    url,
    {
      config: { permission: 'certificates:revoke', act: 'certificate.revocation-requested' },
      schema: {
        operationId: 'revokeCertificate',
        summary: 'Revoke a certificate, for ever.',
        description:
          'The decision is recorded before the CA is told. When the CA does not answer, `state` is `proposed` and the worker tells it. Asking again with the same reason gives the same revocation.',
        tags: ['certificates'],
        params,
        body: closed(
          {
            reason: oneOf(REVOCATION_REASONS, { description: 'RFC 5280 section 5.3.1.' }),
            comment: line(500, { description: 'Why, in words. Kept in the audit log.' }),
            ticket: Type.Optional(ticket),
          },
          { examples: [{ reason: 'keyCompromise', comment: 'Laptop stolen from a car', ticket: 'INC-20417' }] },
        ),
        response: { 201: ref(RevocationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { reason, comment, ticket: reference } = request.body;
      const intent = intentOf(request, { reason: comment, ticket: reference });
      const revocation = await revocations.revoke(intent, request.params.certificateId, { reason, comment });
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
}

function toBody(revocation: Revocation): Static<typeof RevocationSchema> {
  return {
    ...revocation,
    revokedAt: revocation.revokedAt.toISOString(),
    createdAt: revocation.createdAt.toISOString(),
    confirmedAt: revocation.confirmedAt?.toISOString() ?? null,
  };
}
