export { type AttestationDesk, createAttestationDesk, type Judgement, type Subject } from './evidence.ts';
export { flagChange, tpmChanged } from './identity.ts';
export type { AttestationPolicy, Identities, SubmittedEvidence, TpmRoots } from './ports.ts';
export { ATTESTATION_POLICIES } from './ports.ts';
export { EvidenceSchema, evidenceOf } from './schemas.http.ts';
