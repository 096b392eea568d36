import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { EnrolmentId } from '../kernel/ids.ts';
import { base64, closed, id, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { giveProofNonce, type ProofDependencies } from './existing-certificate.ts';
import type { SubmittedProof } from './proof-signature.ts';
import { askSupervision, type SupervisionDependencies } from './supervise-pin.ts';

/** RFC 5652 with a chain of a few certificates; a JWS likewise. */
const MAX_CMS_BYTES = 24 * 1024;
const MAX_JWS_LENGTH = 16 * 1024;

export const ProofSchema = Type.Union(
  [
    closed({
      jws: Type.String({
        maxLength: MAX_JWS_LENGTH,
        pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]+$',
        description: 'Compact, with detached content (RFC 7515, appendix F); the header has alg and x5t#S256, or x5c.',
      }),
    }),
    closed({ cms: base64(MAX_CMS_BYTES, { description: 'SignedData (RFC 5652) of one signer, DER.' }) }),
  ],
  {
    description:
      'A statement of just these facts, which both ends write for themselves (services/cms/enrolment/README.md), signed by a certificate of the same person that is in force.',
  },
);

const NonceSchema = Type.Object(
  {
    nonce: Type.String({ contentEncoding: 'base64', description: 'Part of what is signed.' }),
    expiresAt: time({ description: 'Until when the signature is taken.' }),
  },
  {
    $id: 'EnrolmentProofNonce',
    examples: [{ nonce: 'q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=', expiresAt: '2026-11-20T09:05:00.000Z' }],
  },
);
const SupervisionSchema = Type.Object(
  {
    confirmationCode: Type.String({ description: 'To be shown to the operator who looked on.' }),
    confirmed: Type.Boolean(),
    pollAfterSeconds: Type.Integer(),
  },
  { $id: 'InitialPinSupervision', examples: [{ confirmationCode: '482913', confirmed: false, pollAfterSeconds: 2 }] },
);
export const deviceProofComponents = [NonceSchema, SupervisionSchema];

const POLL_AFTER_SECONDS = 2;
const STEPS_PER_MINUTE = 300;

export function proofOf(given: { readonly jws: string } | { readonly cms: string }): SubmittedProof {
  return 'jws' in given ? given : { cms: new Uint8Array(Buffer.from(given.cms, 'base64')) };
}

export function registerDeviceProofRoutes(app: App, deps: ProofDependencies & SupervisionDependencies): void {
  const params = closed({ enrolmentId: id<EnrolmentId>() });
  const body = closed({}, { examples: [{}] });

  app.post(
    '/api/v1/agent/enrolments/:enrolmentId/proof-nonces',
    {
      config: {
        permission: 'device',
        act: 'enrolment.proof-prepared',
        perMinute: STEPS_PER_MINUTE,
        secretAnswer: true,
      },
      schema: {
        operationId: 'giveProofNonce',
        summary: 'A nonce for one signature by a certificate that the person has already. It replaces an earlier one.',
        tags: ['agent'],
        params,
        body,
        response: { 201: ref(NonceSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { nonce, expiresAt } = await giveProofNonce(deps, deviceIntentOf(request), request.params.enrolmentId);
      const text = Buffer.from(nonce).toString('base64');
      return reply.code(201).send({ nonce: text, expiresAt: expiresAt.toISOString() });
    },
  );

  app.post(
    '/api/v1/agent/enrolments/:enrolmentId/initial-pins',
    {
      config: { permission: 'device', act: 'enrolment.initial-pin-set', perMinute: STEPS_PER_MINUTE },
      schema: {
        operationId: 'askSupervision',
        summary: 'The first PIN is set: what an operator who looked on is to confirm, and whether one has.',
        description: 'Asked again for the same card it gives the same code.',
        tags: ['agent'],
        params,
        body,
        response: { 201: ref(SupervisionSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const asked = await askSupervision(deps, deviceIntentOf(request), request.params.enrolmentId);
      const { confirmationCode, confirmedAt } = asked;
      const confirmed = confirmedAt !== null;
      return reply.code(201).send({ confirmationCode, confirmed, pollAfterSeconds: POLL_AFTER_SECONDS });
    },
  );
}
