export { undoEnrolment } from './cancel-enrolment.ts';
export { addEnrolment, type CreateEnrolmentDependencies, type MadeEnrolment } from './create-enrolment.ts';
export { createHandOvers } from './hand-over.ts';
export type { ClaimFacts, EnrolmentProfile, Enrolments } from './ports.ts';
export { type PreparedEnrolment, prepareEnrolment } from './prepare-enrolment.ts';
