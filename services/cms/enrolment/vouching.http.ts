import { type Static, Type } from 'typebox';
import type { EnrolmentId } from '../kernel/ids.ts';
import { VERIFICATION_METHODS } from '../kernel/verification.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, id, line, nullable, OperatorRef, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { enrolmentNotFound } from './enrolment.ts';
import type { Voucher } from './ports.ts';
import { confirmInitialPin, type SupervisionDependencies } from './supervise-pin.ts';

export const VouchingSchema = closed(
  {
    method: oneOf(VERIFICATION_METHODS),
    evidence: line(500, { description: 'What proved who the person is. Kept in the audit log.' }),
    note: Type.Optional(line(500)),
  },
  { description: 'How the person was identified. Who says so vouches for them, for as long as the card is in use.' },
);

const VoucherSchema = Type.Object({
  id: Type.String(),
  enrolmentId: Type.String(),
  kind: oneOf(['identity', 'initial-pin', 'certificate'], {
    description:
      'identity: who the person is. initial-pin: that they set the PIN themselves. certificate: one that signed.',
  }),
  operator: nullable(ref(OperatorRef)),
  method: oneOf([...VERIFICATION_METHODS, 'existing-certificate']),
  evidence: Type.String(),
  note: nullable(Type.String()),
  certificateId: nullable(Type.String({ description: 'The certificate that signed.' })),
  createdAt: time(),
  depth: Type.Integer({
    description:
      '0: of this enrolment. 1: of the one by which the certificate came about that signed for this one. And so on.',
  }),
});
const VoucherList = Type.Object(
  { items: Type.Array(VoucherSchema) },
  {
    $id: 'EnrolmentVouchers',
    examples: [
      {
        items: [
          {
            id: '0199f2a0-9999-7000-8000-000000000009',
            enrolmentId: '0199f2a0-7777-7000-8000-000000000007',
            kind: 'identity',
            operator: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'helpdesk' },
            method: 'in-person',
            evidence: 'Passport, photograph compared',
            note: null,
            certificateId: null,
            createdAt: '2026-11-20T09:00:00.000Z',
            depth: 0,
          },
        ],
      },
    ],
  },
);
export const vouchingComponents = [VoucherList];

function toBody({ createdAt, ...voucher }: Voucher): Static<typeof VoucherSchema> {
  return { ...voucher, createdAt: createdAt.toISOString() };
}

export function registerVouchingRoutes(app: App, deps: SupervisionDependencies): void {
  const params = closed({ enrolmentId: id<EnrolmentId>() });

  app.get(
    '/api/v1/enrolments/:enrolmentId/vouchers',
    {
      config: { permission: 'enrolments:read' },
      schema: {
        operationId: 'listVouchers',
        summary: 'Who vouched that the person is the person, nearest first, back to the first of them.',
        description:
          'Where a certificate signed for this enrolment, what vouched for that certificate follows, and so on. Nobody can change it.',
        tags: ['enrolments'],
        params,
        response: { 200: ref(VoucherList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { enrolmentId } = request.params;
      if ((await deps.enrolments.find(enrolmentId)) === null) throw enrolmentNotFound();
      return { items: (await deps.vouchers.chainOf(enrolmentId)).map(toBody) };
    },
  );

  app.post(
    '/api/v1/enrolments/:enrolmentId/initial-pin-confirmations',
    {
      config: { permission: 'enrolments:create', act: 'enrolment.initial-pin-confirmed' },
      schema: {
        operationId: 'confirmInitialPin',
        summary: 'Say that the person whose card it is set its first PIN under your eyes.',
        description:
          'Until then no certificate is issued. If the card is made anew, with another PIN, it is asked again.',
        tags: ['enrolments'],
        params,
        body: closed(
          {
            confirmationCode: line(20, { description: 'As the device shows it.' }),
            verification: VouchingSchema,
          },
          {
            examples: [
              {
                confirmationCode: '482913',
                verification: { method: 'in-person', evidence: 'Passport, photograph compared' },
              },
            ],
          },
        ),
        response: { 201: ref(VoucherList), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { enrolmentId } = request.params;
      await confirmInitialPin(deps, intentOf(request), enrolmentId, request.body);
      return reply.code(201).send({ items: (await deps.vouchers.chainOf(enrolmentId)).map(toBody) });
    },
  );
}
