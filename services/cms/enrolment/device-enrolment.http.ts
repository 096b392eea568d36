import { Type } from 'typebox';
import { ATTESTATION_POLICIES, EvidenceSchema, evidenceOf } from '../attestation/index.ts';
import { ENROLMENT_METHODS, INITIAL_PINS } from '../cards/index.ts';
import { deviceIntentOf } from '../device-link/index.ts';
import type { EnrolmentId } from '../kernel/ids.ts';
import { hashToken } from '../platform/authentication.http.ts';
import { base64, closed, id, line, nullable, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type AdministratorKeyDependencies, approveFirstWrite, makeAdministratorKey } from './administrator-key.ts';
import { type ClaimDependencies, claimEnrolment } from './claim-enrolment.ts';
import { type CompleteDependencies, completeEnrolment } from './complete-enrolment.ts';
import { ProofSchema, proofOf } from './device-proofs.http.ts';
import { type RequestCertificateDependencies, requestCertificate } from './request-certificate.ts';

const ClaimSchema = Type.Object(
  {
    enrolmentId: Type.String(),
    state: oneOf(['claimed', 'completed']),
    cardId: Type.String(),
    cardSerial: Type.String(),
    deviceId: Type.String(),
    person: Type.Object({ displayName: Type.String(), userPrincipalName: Type.String() }),
    method: oneOf(ENROLMENT_METHODS),
    initialPin: oneOf(INITIAL_PINS),
    handOver: nullable(
      Type.Object({
        publicKey: Type.String({
          contentEncoding: 'base64',
          description: 'X25519: what a first PIN that nobody sees is sealed to.',
        }),
        salt: Type.String({
          contentEncoding: 'base64',
          description: 'With it the other half follows from the hand-over code.',
        }),
      }),
    ),
    profile: Type.Object({
      pinLimit: Type.Integer(),
      pinPolicy: Type.Object({}, { additionalProperties: true }),
      containers: Type.Array(
        Type.Object({
          container: Type.String(),
          keyType: Type.String({ description: 'ec-p256, ec-p384, rsa-2048 or rsa-3072.' }),
        }),
      ),
      attestation: oneOf(ATTESTATION_POLICIES, { description: 'Whether the device is to prove its TPM.' }),
    }),
    serverTime: time(),
  },
  {
    $id: 'Claim',
    examples: [
      {
        enrolmentId: '0199f2a0-7777-7000-8000-000000000007',
        state: 'claimed',
        cardId: '0199f2a0-3333-7000-8000-000000000003',
        cardSerial: 'CW-7K3M-92QF',
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
        person: { displayName: 'Mary Major', userPrincipalName: 'mary.major@example.com' },
        method: 'code',
        initialPin: 'holder',
        handOver: null,
        profile: {
          pinLimit: 5,
          pinPolicy: { minLength: 6, maxLength: 127 },
          containers: [{ container: 'sign-in', keyType: 'ec-p256' }],
          attestation: 'preferred',
        },
        serverTime: '2026-11-20T09:00:00.000Z',
      },
    ],
  },
);
const WrappedKeySchema = Type.Object(
  {
    keyVersion: Type.Integer(),
    name: Type.String({ contentEncoding: 'base64', description: "The key's TPM Name." }),
    public: Type.String({ contentEncoding: 'base64', description: 'TPM2B_PUBLIC' }),
    duplicate: Type.String({ contentEncoding: 'base64', description: 'TPM2B_PRIVATE, wrapped to the device.' }),
    inSymSeed: Type.String({ contentEncoding: 'base64', description: 'TPM2B_ENCRYPTED_SECRET' }),
  },
  {
    $id: 'WrappedAdministratorKey',
    examples: [{ keyVersion: 1, name: 'AAuq', public: 'AC4A', duplicate: 'AHYA', inSymSeed: 'AEQA' }],
  },
);
const FirstWriteSchema = Type.Object(
  {
    answer: Type.String({ contentEncoding: 'base64', description: 'HMAC-SHA-256 for TPM2_PolicySigned, 32 bytes.' }),
    selfChange: Type.Object({
      approvedPolicy: Type.String({ contentEncoding: 'base64' }),
      signature: Type.String({ contentEncoding: 'base64' }),
    }),
    expirationSeconds: Type.Integer(),
  },
  {
    $id: 'FirstWriteApproval',
    examples: [{ answer: 'q83v', selfChange: { approvedPolicy: 'EjRW', signature: 'eJq8' }, expirationSeconds: 900 }],
  },
);
const IssuedSchema = Type.Object(
  {
    certificateId: Type.String(),
    certificate: Type.String({ contentEncoding: 'base64', description: 'DER' }),
    chain: Type.Array(Type.String({ contentEncoding: 'base64' }), { description: 'DER: issuing CA, then root.' }),
  },
  {
    $id: 'IssuedCertificate',
    examples: [{ certificateId: '0199f2a0-5555-7000-8000-000000000005', certificate: 'MIIB', chain: ['MIIC', 'MIID'] }],
  },
);
const CompletionSchema = Type.Object(
  { state: oneOf(['completed']) },
  { $id: 'EnrolmentCompletion', examples: [{ state: 'completed' }] },
);
export const deviceEnrolmentComponents = [
  ClaimSchema,
  WrappedKeySchema,
  FirstWriteSchema,
  IssuedSchema,
  CompletionSchema,
];

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
/**
 * Codes have 60 random bits: at this rate one address would guess for longer than the sun burns. It leaves room for a
 * fleet that enrols from behind one address.
 */
const CLAIMS_PER_MINUTE = 120;
const STEPS_PER_MINUTE = 300;
const MAX_CSR_BYTES = 8192;

export type DeviceEnrolmentDependencies = ClaimDependencies &
  CompleteDependencies &
  RequestCertificateDependencies &
  AdministratorKeyDependencies;

export function registerDeviceEnrolmentRoutes(app: App, deps: DeviceEnrolmentDependencies): void {
  const params = closed({ enrolmentId: id<EnrolmentId>() });
  const nvIndex = Type.Integer({ minimum: 0x01000000, maximum: 0x01ffffff, description: 'TPM NV handle.' });

  app.post(
    '/api/v1/agent/enrolments/claims',
    {
      config: { permission: 'public', act: 'enrolment.claimed', perMinute: CLAIMS_PER_MINUTE },
      schema: {
        operationId: 'claimEnrolment',
        summary: 'Claim an enrolment code for this device. The code is the credential.',
        description:
          'The device makes its token and stores it before it asks: the same code with the same token gives the same claim.',
        tags: ['agent'],
        body: closed(
          {
            code: Type.String({ minLength: 1, maxLength: 64 }),
            deviceToken: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: '32 random bytes, base64url.' }),
            device: closed({
              hostName: line(253),
              platform: line(100),
              storageKeyName: Type.String({ pattern: '^([0-9a-f]{2}){2,66}$', description: 'Name of the SRK, hex.' }),
              tpm: nullable(closed({ manufacturer: line(100), firmware: line(100), revision: line(100) })),
            }),
          },
          {
            examples: [
              {
                code: '7K3M-92QF-XD4T',
                deviceToken: '4wI0uGgZQ1yUQm3hX0m0y0S2m7G2qv4bq2e1x4n6T8k',
                device: { hostName: 'lap-0421', platform: 'linux-x64', storageKeyName: '000b01', tpm: null },
              },
            ],
          },
        ),
        response: { 200: ref(ClaimSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const { code, deviceToken, device } = request.body;
      const claim = await claimEnrolment(deps, request.id, { code, tokenHash: hashToken(deviceToken), device });
      const { pinLimit, pinPolicy, containers, attestation } = claim.profile;
      const shown = containers.map(({ container, keyType }) => ({ container, keyType }));
      const profile = { pinLimit, pinPolicy, containers: shown, attestation };
      const handOver =
        claim.handOver === null
          ? null
          : { publicKey: toText(claim.handOver.publicKey), salt: toText(claim.handOver.salt) };
      return { ...claim, profile, handOver, serverTime: deps.runtime.now().toISOString() };
    },
  );

  app.post(
    '/api/v1/agent/enrolments/:enrolmentId/administrator-keys',
    {
      config: { permission: 'device', act: 'administrator-key.made', perMinute: STEPS_PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'makeAdministratorKey',
        summary: "Have the vault make the card's administrator key, wrapped to this TPM.",
        tags: ['agent'],
        params,
        body: closed(
          { parentPublic: base64(1024, { description: 'TPM2B_PUBLIC of the storage key.' }) },
          { examples: [{ parentPublic: 'AHoAIwAL' }] },
        ),
        response: { 201: ref(WrappedKeySchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const parent = toBytes(request.body.parentPublic);
      const wrapped = await makeAdministratorKey(deps, deviceIntentOf(request), request.params.enrolmentId, parent);
      return reply.code(201).send({
        keyVersion: wrapped.keyVersion,
        name: toText(wrapped.name),
        public: toText(wrapped.public),
        duplicate: toText(wrapped.duplicate),
        inSymSeed: toText(wrapped.inSymSeed),
      });
    },
  );

  app.post(
    '/api/v1/agent/enrolments/:enrolmentId/first-writes',
    {
      config: { permission: 'device', act: 'first-write.approved', perMinute: STEPS_PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'approveFirstWrite',
        summary: "Have the vault sign the PIN index's first write: once a key version.",
        tags: ['agent'],
        params,
        body: closed(
          {
            keyVersion: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
            nvIndex,
            nonce: Type.String({ pattern: '^[A-Za-z0-9+/]{22}==$', description: 'nonceTPM, 16 bytes, base64.' }),
          },
          { examples: [{ keyVersion: 1, nvIndex: 25165824, nonce: 'AAAAAAAAAAAAAAAAAAAAAA==' }] },
        ),
        response: { 201: ref(FirstWriteSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { nonce, ...rest } = request.body;
      const input = { ...rest, nonce: toBytes(nonce) };
      const approval = await approveFirstWrite(deps, deviceIntentOf(request), request.params.enrolmentId, input);
      const { approvedPolicy, signature } = approval.selfChange;
      return reply.code(201).send({
        answer: toText(approval.answer),
        selfChange: { approvedPolicy: toText(approvedPolicy), signature: toText(signature) },
        expirationSeconds: approval.expirationSeconds,
      });
    },
  );

  app.post(
    '/api/v1/agent/enrolments/:enrolmentId/certificate-requests',
    {
      config: { permission: 'device', act: 'certificate.requested', perMinute: STEPS_PER_MINUTE },
      schema: {
        operationId: 'requestCertificate',
        summary: "Ask for the certificate of a container's key.",
        description:
          'The same request gives the same certificate. Another one supersedes: the certificate before is revoked. Names come from the person’s record, not from the request.',
        tags: ['agent'],
        params,
        body: closed(
          {
            container: line(64),
            csr: base64(MAX_CSR_BYTES, { description: 'PKCS #10, DER.' }),
            evidence: Type.Optional(ref(EvidenceSchema)),
            proof: Type.Optional(ProofSchema),
          },
          { examples: [{ container: 'sign-in', csr: 'MIHIMHAC' }] },
        ),
        response: { 201: ref(IssuedSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { container, csr, evidence, proof } = request.body;
      const wanted = {
        container,
        csr: toBytes(csr),
        evidence: evidence === undefined ? null : evidenceOf(evidence),
        proof: proof === undefined ? null : proofOf(proof),
      };
      const issued = await requestCertificate(deps, deviceIntentOf(request), request.params.enrolmentId, wanted);
      return reply.code(201).send({
        certificateId: issued.certificateId,
        certificate: toText(issued.certificate),
        chain: issued.chain.map(toText),
      });
    },
  );

  app.post(
    '/api/v1/agent/enrolments/:enrolmentId/completions',
    {
      config: { permission: 'device', act: 'enrolment.completed', perMinute: STEPS_PER_MINUTE },
      schema: {
        operationId: 'completeEnrolment',
        summary: 'The card is made: put it into use. Idempotent.',
        tags: ['agent'],
        params,
        body: closed({ nvIndex }, { examples: [{ nvIndex: 25165824 }] }),
        response: { 201: ref(CompletionSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      await completeEnrolment(deps, deviceIntentOf(request), request.params.enrolmentId, request.body.nvIndex);
      return reply.code(201).send({ state: 'completed' as const });
    },
  );
}
