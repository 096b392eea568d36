import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { CardId, CertificateId, UnblockSessionId } from '../kernel/ids.ts';
import { base64, closed, id, line, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { approveWithCard, prepareApproval } from './approve-with-card.ts';
import type { SelfServicePorts } from './self-service-ports.ts';

const ApprovalRequestSchema = Type.Object(
  {
    sessionId: Type.String(),
    nonce: Type.String({ contentEncoding: 'base64', description: 'Part of what is signed.' }),
    serial: Type.String({ description: 'Of the card that is to get a new PIN.' }),
    hostName: Type.String({ description: 'Of the device that it is on.' }),
    personName: Type.String(),
    requestedAt: time(),
    expiresAt: time({ description: 'Until when the signature is taken.' }),
  },
  {
    $id: 'CardApprovalRequest',
    examples: [
      {
        sessionId: '0199f2a0-8888-7000-8000-000000000008',
        nonce: 'q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=',
        serial: 'CW-7K3M-92QF',
        hostName: 'laptop-7',
        personName: 'Ada Lovelace',
        requestedAt: '2026-11-20T09:00:00.000Z',
        expiresAt: '2026-11-20T09:03:00.000Z',
      },
    ],
  },
);
const ApprovedSchema = Type.Object(
  { sessionId: Type.String(), serial: Type.String({ description: 'Of the card that approved.' }) },
  {
    $id: 'CardApproval',
    examples: [{ sessionId: '0199f2a0-8888-7000-8000-000000000008', serial: 'CW-1111-2222' }],
  },
);
export const selfServiceComponents = [ApprovalRequestSchema, ApprovedSchema];

/** As of an operator's approvals. */
const PER_MINUTE = 120;
/** RSA of 4096 bits. */
const MAX_SIGNATURE_BYTES = 512;

const confirmationCode = line(20, { description: 'As the device shows it that asks for the new PIN.' });

export function registerSelfServiceRoutes(app: App, deps: SelfServicePorts): void {
  const params = closed({ cardId: id<CardId>() });

  app.post(
    '/api/v1/agent/cards/:cardId/approval-requests',
    {
      config: { permission: 'device', act: 'unblock.approval-prepared', perMinute: PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'prepareCardApproval',
        summary: 'What a person is to sign with this card, so that another card of theirs gets a new PIN.',
        tags: ['agent'],
        params,
        body: closed({ confirmationCode }, { examples: [{ confirmationCode: '482913' }] }),
        response: { 201: ref(ApprovalRequestSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { cardId } = request.params;
      const asked = await prepareApproval(deps, deviceIntentOf(request), cardId, request.body.confirmationCode);
      const { nonce, displayName, requestedAt, expiresAt, ...about } = asked;
      return reply.code(201).send({
        ...about,
        personName: displayName,
        nonce: Buffer.from(nonce).toString('base64'),
        requestedAt: requestedAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
      });
    },
  );

  app.post(
    '/api/v1/agent/cards/:cardId/approvals',
    {
      config: { permission: 'device', act: 'unblock.approved', perMinute: PER_MINUTE },
      schema: {
        operationId: 'approveWithCard',
        summary: 'Approve, with this card, that another card of the same person gets a new PIN.',
        description:
          'The signature is over the SHA-256 of the statement that both ends write for themselves (README of the agent), by the key of a certificate of this card that is in force. The response goes to the device of the other card alone.',
        tags: ['agent'],
        params,
        body: closed(
          {
            sessionId: id<UnblockSessionId>(),
            confirmationCode,
            certificateId: id<CertificateId>(),
            signature: base64(MAX_SIGNATURE_BYTES, { description: 'ECDSA in DER, or RSA PKCS #1 v1.5.' }),
          },
          {
            examples: [
              {
                sessionId: '0199f2a0-8888-7000-8000-000000000008',
                confirmationCode: '482913',
                certificateId: '0199f2a0-5555-7000-8000-000000000005',
                signature: 'MEUCIQD=',
              },
            ],
          },
        ),
        response: { 201: ref(ApprovedSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { signature, ...signed } = request.body;
      const given = { ...signed, signature: new Uint8Array(Buffer.from(signature, 'base64')) };
      const { cardId } = request.params;
      const serial = await approveWithCard(deps, deviceIntentOf(request), cardId, given);
      return reply.code(201).send({ sessionId: signed.sessionId, serial });
    },
  );
}
