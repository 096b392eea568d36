import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { CardId } from '../kernel/ids.ts';
import { base64, closed, id, nullable, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type AttestCardDependencies, attestCard } from './attest-card.ts';
import type { AttestationDesk } from './evidence.ts';
import { activateAttestation, beginAttestation, type IdentityDependencies } from './identity.ts';
import { EvidenceSchema, evidenceOf, SignedStatement, toBytes, toText } from './schemas.http.ts';
import { type DeviceSignInDependencies, signDeviceIn } from './sign-in.ts';

const HiddenCredential = Type.Object(
  {
    attestationId: Type.String(),
    credentialBlob: Type.String({ contentEncoding: 'base64', description: 'TPM2B_ID_OBJECT' }),
    secret: Type.String({ contentEncoding: 'base64', description: 'TPM2B_ENCRYPTED_SECRET' }),
    nonce: Type.String({ contentEncoding: 'base64', description: 'For the statement about the storage key.' }),
    expiresAt: time(),
  },
  {
    $id: 'HiddenCredential',
    examples: [
      {
        attestationId: '0199f2a0-8888-7000-8000-000000000008',
        credentialBlob: 'AEQAIKu6',
        secret: 'AEQAIPmD',
        nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        expiresAt: '2026-11-20T09:10:00.000Z',
      },
    ],
  },
);
const DeviceAttested = Type.Object(
  { state: oneOf(['attested']), deviceId: Type.String(), attestationKeyName: Type.String({ description: 'Hex.' }) },
  {
    $id: 'DeviceAttested',
    examples: [
      { state: 'attested', deviceId: '0199f2a0-2222-7000-8000-000000000002', attestationKeyName: '000be64e3dc7' },
    ],
  },
);
const EvidenceNonce = Type.Object(
  { nonce: Type.String({ contentEncoding: 'base64' }), expiresAt: time() },
  {
    $id: 'EvidenceNonce',
    examples: [{ nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', expiresAt: '2026-11-20T09:10:00.000Z' }],
  },
);
const CardAttested = Type.Object(
  {
    certificates: Type.Array(
      Type.Object({
        certificateId: Type.String(),
        container: Type.String(),
        state: oneOf(['attested', 'refused']),
        code: nullable(Type.String()),
      }),
    ),
  },
  {
    $id: 'CardAttested',
    examples: [
      {
        certificates: [
          {
            certificateId: '0199f2a0-5555-7000-8000-000000000005',
            container: 'sign-in',
            state: 'attested',
            code: null,
          },
        ],
      },
    ],
  },
);
const AccessToken = Type.Object(
  {
    accessToken: Type.String(),
    tokenType: oneOf(['Bearer']),
    expiresInSeconds: Type.Integer(),
    deviceId: Type.String(),
  },
  {
    $id: 'DeviceAccessToken',
    examples: [
      {
        accessToken: '4wI0uGgZQ1yUQm3hX0m0y0S2m7G2qv4bq2e1x4n6T8k',
        tokenType: 'Bearer',
        expiresInSeconds: 600,
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
      },
    ],
  },
);
export const deviceAttestationComponents = [
  EvidenceSchema,
  HiddenCredential,
  DeviceAttested,
  EvidenceNonce,
  CardAttested,
  AccessToken,
];

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** From one address, which may be that of a whole office. A chain costs some signatures to verify. */
const ATTESTATIONS_PER_MINUTE = 120;
const PER_MINUTE = 600;

export type DeviceAttestationDependencies = IdentityDependencies &
  Omit<AttestCardDependencies, 'desk'> &
  DeviceSignInDependencies & { readonly attestation: AttestationDesk };

export function registerDeviceAttestationRoutes(app: App, deps: DeviceAttestationDependencies): void {
  app.post(
    '/api/v1/agent/attestations',
    {
      config: {
        permission: 'device-attesting',
        act: 'device.attested',
        perMinute: ATTESTATIONS_PER_MINUTE,
        secretAnswer: true,
      },
      schema: {
        operationId: 'beginAttestation',
        summary: "Show which TPM this device is, by its maker's certificate; get a credential that only it can open.",
        tags: ['agent'],
        body: closed(
          {
            endorsementKey: base64(1024, { description: 'TPM2B_PUBLIC' }),
            certificate: base64(8192, { description: 'Of the endorsement key, DER.' }),
            chain: Type.Array(base64(8192), { maxItems: 8, description: 'DER: certificates below the root.' }),
            attestationKey: base64(1024, { description: 'TPM2B_PUBLIC' }),
          },
          { examples: [{ endorsementKey: 'AHoAIwAL', certificate: 'MIIB', chain: [], attestationKey: 'AFgAIwAL' }] },
        ),
        response: { 201: ref(HiddenCredential), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { endorsementKey, attestationKey, certificate, chain } = request.body;
      const hidden = await beginAttestation(deps, deviceIntentOf(request), {
        endorsementKey: toBytes(endorsementKey),
        attestationKey: toBytes(attestationKey),
        certificate: toBytes(certificate),
        chain: chain.map(toBytes),
      });
      return reply.code(201).send({
        attestationId: hidden.attestationId,
        credentialBlob: toText(hidden.credentialBlob),
        secret: toText(hidden.secret),
        nonce: toText(hidden.nonce),
        expiresAt: hidden.expiresAt.toISOString(),
      });
    },
  );

  app.post(
    '/api/v1/agent/attestations/:attestationId/activations',
    {
      config: { permission: 'device-attesting', act: 'device.attested', perMinute: ATTESTATIONS_PER_MINUTE },
      schema: {
        operationId: 'activateAttestation',
        summary:
          'Bring the credential back: from here on the device is that TPM, and signs in with its key. Idempotent.',
        tags: ['agent'],
        params: closed({ attestationId: id() }),
        body: closed(
          {
            credential: base64(32),
            storageKey: base64(1024, { description: 'TPM2B_PUBLIC' }),
            proof: SignedStatement,
          },
          {
            examples: [
              {
                credential: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
                storageKey: 'AHoAIwAL',
                proof: { statement: '/1RDR4AX', signature: 'ABgACwAg' },
              },
            ],
          },
        ),
        response: { 201: ref(DeviceAttested), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { credential, storageKey, proof } = request.body;
      const statement = { statement: toBytes(proof.statement), signature: toBytes(proof.signature) };
      const { deviceId, attestationKeyName } = await activateAttestation(
        deps,
        deviceIntentOf(request),
        request.params.attestationId,
        { credential: toBytes(credential), storageKey: toBytes(storageKey), statement },
      );
      return reply.code(201).send({ state: 'attested' as const, deviceId, attestationKeyName });
    },
  );

  app.post(
    '/api/v1/agent/tokens',
    {
      config: { permission: 'public', act: 'device.signed-in', perMinute: PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'signDeviceIn',
        summary: "Get an access token for an assertion that the device's attestation key signed (RFC 7523).",
        description:
          "A JWT of ES256: `kid` is the attestation key's Name in hex, `iss` and `sub` the device's id, `aud` this URL, `exp` at most five minutes after `iat`, `jti` used once.",
        tags: ['agent'],
        body: closed(
          { grantType: oneOf([JWT_BEARER]), assertion: Type.String({ minLength: 1, maxLength: 2048 }) },
          { examples: [{ grantType: JWT_BEARER, assertion: 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl' }] },
        ),
        response: { 201: ref(AccessToken), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const signedIn = await signDeviceIn(deps, request.body.assertion);
      return reply.code(201).send({ ...signedIn, tokenType: 'Bearer' as const });
    },
  );

  app.post(
    '/api/v1/agent/evidence-nonces',
    {
      config: { permission: 'device', act: 'evidence.asked', perMinute: PER_MINUTE },
      schema: {
        operationId: 'giveEvidenceNonce',
        summary: 'A nonce for evidence of card keys, good for ten minutes.',
        tags: ['agent'],
        body: closed({}, { examples: [{}] }),
        response: { 201: ref(EvidenceNonce), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { nonce, expiresAt } = await deps.attestation.giveNonce(deviceIntentOf(request));
      return reply.code(201).send({ nonce: toText(nonce), expiresAt: expiresAt.toISOString() });
    },
  );

  app.post(
    '/api/v1/agent/cards/:cardId/evidence',
    {
      config: { permission: 'device', act: 'card.attested', perMinute: PER_MINUTE },
      schema: {
        operationId: 'attestCard',
        summary: 'New evidence of the keys of a card in use. Each is judged and recorded; none is refused.',
        tags: ['agent'],
        params: closed({ cardId: id<CardId>() }),
        body: closed(
          {
            keys: Type.Array(
              closed({
                container: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' }),
                evidence: ref(EvidenceSchema),
              }),
              { maxItems: 30 },
            ),
          },
          { examples: [{ keys: [] }] },
        ),
        response: { 201: ref(CardAttested), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const evidence = new Map(request.body.keys.map((one) => [one.container, evidenceOf(one.evidence)]));
      const all = { ...deps, desk: deps.attestation };
      const certificates = await attestCard(all, deviceIntentOf(request), request.params.cardId, evidence);
      return reply.code(201).send({ certificates });
    },
  );
}
