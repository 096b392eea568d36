import { Type } from 'typebox';
import { certificateNotFound } from '../certificates/index.ts';
import type { CardId, CertificateId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, id, oneOf, Problem, reason, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type AskAgainPorts, askForEvidence } from './ask-again.ts';
import { ATTESTATION_POLICIES, type EvidenceRecords, type StoredEvidence } from './ports.ts';
import { StoredEvidenceSchema, toText } from './schemas.http.ts';
import { type SetPolicyDependencies, setAttestationPolicy } from './set-policy.ts';

const EvidenceList = Type.Object(
  { items: Type.Array(ref(StoredEvidenceSchema)) },
  { $id: 'EvidenceList', examples: [{ items: [] }] },
);
const AttestationPolicySchema = Type.Object(
  { profileName: Type.String(), policy: oneOf(ATTESTATION_POLICIES) },
  { $id: 'AttestationPolicy', examples: [{ profileName: 'tpm-default', policy: 'required' }] },
);
const ReAttestation = Type.Object(
  { taskId: Type.String({ description: 'Among the tasks of the device.' }), cardId: Type.String() },
  {
    $id: 'ReAttestation',
    examples: [{ taskId: '0199f2a0-7777-7000-8000-000000000017', cardId: '0199f2a0-3333-7000-8000-000000000003' }],
  },
);
export const attestationComponents = [StoredEvidenceSchema, EvidenceList, AttestationPolicySchema, ReAttestation];

export interface AttestationRouteDependencies extends SetPolicyDependencies, AskAgainPorts {
  readonly evidence: EvidenceRecords;
}

export function registerAttestationRoutes(app: App, deps: AttestationRouteDependencies): void {
  app.get(
    '/api/v1/certificates/:certificateId/evidence',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listEvidence',
        summary: "What the TPM stated of a certificate's key, newest first, to be verified by whoever wants to.",
        tags: ['certificates'],
        params: closed({ certificateId: id<CertificateId>() }),
        querystring: closed({}),
        response: { 200: ref(EvidenceList), default: ref(Problem) },
      },
    },
    async (request) => {
      const evidence = await deps.evidence.of(request.params.certificateId);
      if (evidence === null) throw certificateNotFound();
      return { items: evidence.map(toBody) };
    },
  );

  app.post(
    '/api/v1/cards/:cardId/re-attestations',
    {
      config: { permission: 'keys:change', act: 'task.queued' },
      schema: {
        operationId: 'askForEvidence',
        summary: 'Have the device prove its TPM and the keys of the card anew. The same task until it is done.',
        tags: ['cards'],
        params: closed({ cardId: id<CardId>() }),
        body: closed({ reason }, { examples: [{ reason: 'The maker of its TPM published a defect' }] }),
        response: { 201: ref(ReAttestation), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { cardId } = request.params;
      const { taskId } = await askForEvidence(deps, intentOf(request, request.body), cardId);
      return reply.code(201).send({ taskId, cardId });
    },
  );

  app.post(
    '/api/v1/card-profiles/:profileName/attestation-policies',
    {
      config: { permission: 'profiles:create', act: 'card-profile.attestation-changed' },
      schema: {
        operationId: 'setAttestationPolicy',
        summary: 'Whether cards of this profile must prove their TPM. Counts for what is enrolled from now on.',
        tags: ['cards'],
        params: closed({ profileName: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }) }),
        body: closed(
          { policy: oneOf(ATTESTATION_POLICIES), reason },
          { examples: [{ policy: 'required', reason: 'All our machines have a TPM of a known maker' }] },
        ),
        response: { 201: ref(AttestationPolicySchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { policy, reason: why } = request.body;
      const { profileName } = request.params;
      await setAttestationPolicy(deps, intentOf(request, { reason: why }), profileName, policy);
      return reply.code(201).send({ profileName, policy });
    },
  );
}

function toBody({ id: evidenceId, verdict, judgedAt, attestationKey, evidence }: StoredEvidence) {
  const { nonce, key, index } = evidence;
  return {
    id: evidenceId,
    state: verdict.state,
    code: verdict.state === 'refused' ? verdict.code : null,
    judgedAt: judgedAt.toISOString(),
    attestationKey: attestationKey === null ? null : toText(attestationKey),
    evidence: {
      nonce: toText(nonce),
      key: {
        public: toText(key.public),
        creationData: toText(key.creationData),
        statement: toText(key.statement),
        signature: toText(key.signature),
      },
      index: { statement: toText(index.statement), signature: toText(index.signature) },
    },
  };
}
