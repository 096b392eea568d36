export type { ClaimFacts, EnrolmentProfile, Enrolments } from './ports.ts';
