export { undoEnrolment } from './cancel-enrolment.ts';
export { addEnrolment, type CreateEnrolmentDependencies, type MadeEnrolment } from './create-enrolment.ts';
export { ProofSchema, proofOf } from './device-proofs.http.ts';
export { methodFields } from './enrolment.http.ts';
export { createHandOvers } from './hand-over.ts';
export type { ClaimFacts, EnrolmentProfile, Enrolments, SignatureChecks } from './ports.ts';
export { type PreparedEnrolment, prepareEnrolment, type WantedEnrolment } from './prepare-enrolment.ts';
export { readProof, type SubmittedProof } from './proof-signature.ts';
