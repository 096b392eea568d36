export { createHandOvers } from './hand-over.ts';
export type { ClaimFacts, EnrolmentProfile, Enrolments } from './ports.ts';
