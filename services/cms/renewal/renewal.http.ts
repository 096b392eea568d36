import { Type } from 'typebox';
import { ATTESTATION_POLICIES, EvidenceSchema, evidenceOf } from '../attestation/index.ts';
import { deviceIntentOf } from '../device-link/index.ts';
import { ProofSchema, proofOf } from '../enrolment/index.ts';
import type { CardId, CertificateId } from '../kernel/ids.ts';
import { base64, closed, id, line, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { confirmRenewal } from './confirm-renewal.ts';
import { listRenewals } from './list-renewals.ts';
import type { RenewalPorts } from './ports.ts';
import { renewCertificate } from './renew-certificate.ts';

const Renewals = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        container: Type.String(),
        certificateId: Type.String({ description: 'In force now: what `replaces` names.' }),
        notAfter: time(),
        renewableFrom: time(),
        due: Type.Boolean(),
        attestation: oneOf(ATTESTATION_POLICIES, {
          description: 'Unless off, evidence of the key goes with the request.',
        }),
        key: oneOf(['same', 'new'], { description: 'new: its holder has to sign a request, with the PIN.' }),
      }),
    ),
  },
  {
    $id: 'Renewals',
    examples: [
      {
        items: [
          {
            container: 'sign-in',
            certificateId: '0199f2a0-5555-7000-8000-000000000005',
            notAfter: '2027-11-20T09:00:00.000Z',
            renewableFrom: '2027-10-21T09:00:00.000Z',
            due: false,
            key: 'same',
            attestation: 'preferred',
          },
        ],
      },
    ],
  },
);
const RenewedCertificate = Type.Object(
  {
    certificateId: Type.String(),
    certificate: Type.String({ contentEncoding: 'base64', description: 'DER' }),
    chain: Type.Array(Type.String({ contentEncoding: 'base64' }), { description: 'DER: issuing CA, then root.' }),
  },
  {
    $id: 'RenewedCertificate',
    examples: [{ certificateId: '0199f2a0-5555-7000-8000-000000000006', certificate: 'MIIB', chain: ['MIIC', 'MIID'] }],
  },
);
const RenewalConfirmation = Type.Object(
  {
    superseded: Type.Array(Type.String(), { description: 'Certificates that are revoked for it; none when repeated.' }),
  },
  { $id: 'RenewalConfirmation', examples: [{ superseded: ['0199f2a0-5555-7000-8000-000000000005'] }] },
);
export const renewalComponents = [Renewals, RenewedCertificate, RenewalConfirmation];

/** From one address, which may be that of a whole office. */
const PER_MINUTE = 600;
const MAX_CSR_BYTES = 8192;
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export function registerRenewalRoutes(app: App, deps: RenewalPorts): void {
  const ofCard = closed({ cardId: id<CardId>() });

  app.get(
    '/api/v1/agent/cards/:cardId/renewals',
    {
      config: { permission: 'device', perMinute: PER_MINUTE },
      schema: {
        operationId: 'listRenewals',
        summary: "When the certificates of this device's card are to be renewed, by the policy of its profile.",
        tags: ['agent'],
        params: ofCard,
        response: { 200: ref(Renewals), default: ref(Problem) },
      },
    },
    async (request) => {
      const items = await listRenewals(deps, deviceIntentOf(request), request.params.cardId);
      return {
        items: items.map(({ notAfter, renewableFrom, ...item }) => ({
          ...item,
          notAfter: notAfter.toISOString(),
          renewableFrom: renewableFrom.toISOString(),
        })),
      };
    },
  );

  app.post(
    '/api/v1/agent/cards/:cardId/certificate-requests',
    {
      config: { permission: 'device', act: 'certificate.requested', perMinute: PER_MINUTE },
      schema: {
        operationId: 'renewCertificate',
        summary: 'Ask for the next certificate of a container, for the same key or a new one.',
        description:
          'Without `csr` it is for the same key, by the request that proved it. The certificate before stays in force until the device confirms that it has stored the new one. The same question gives the same certificate. A new key keeps the level of assurance where the TPM proves it, or the key before signs for it.',
        tags: ['agent'],
        params: ofCard,
        body: closed(
          {
            container: line(64),
            replaces: id<CertificateId>(),
            csr: Type.Optional(base64(MAX_CSR_BYTES, { description: 'PKCS #10, DER.' })),
            evidence: Type.Optional(ref(EvidenceSchema)),
            proof: Type.Optional(ProofSchema),
          },
          { examples: [{ container: 'sign-in', replaces: '0199f2a0-5555-7000-8000-000000000005' }] },
        ),
        response: { 201: ref(RenewedCertificate), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { container, replaces, csr, evidence, proof } = request.body;
      const wanted = {
        container,
        replaces,
        csr: csr === undefined ? null : new Uint8Array(Buffer.from(csr, 'base64')),
        evidence: evidence === undefined ? null : evidenceOf(evidence),
        proof: proof === undefined ? null : proofOf(proof),
      };
      const issued = await renewCertificate(deps, deviceIntentOf(request), request.params.cardId, wanted);
      return reply.code(201).send({
        certificateId: issued.certificateId,
        certificate: toText(issued.certificate),
        chain: issued.chain.map(toText),
      });
    },
  );

  app.post(
    '/api/v1/agent/cards/:cardId/certificates/:certificateId/confirmations',
    {
      config: { permission: 'device', act: 'certificate.renewed', perMinute: PER_MINUTE },
      schema: {
        operationId: 'confirmRenewal',
        summary: 'The device has stored the renewed certificate: the one before is revoked as superseded. Idempotent.',
        tags: ['agent'],
        params: closed({ cardId: id<CardId>(), certificateId: id<CertificateId>() }),
        body: closed({}, { examples: [{}] }),
        response: { 201: ref(RenewalConfirmation), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { cardId, certificateId } = request.params;
      const superseded = await confirmRenewal(deps, deviceIntentOf(request), cardId, certificateId);
      return reply.code(201).send({ superseded: [...superseded] });
    },
  );
}
