export { answerApproved } from './decide-request.ts';
export type { AnswerRecords, ChallengeAnswers, UnblockSessions } from './ports.ts';
export { VERIFICATION_METHODS } from './session.ts';
export type { UnblockDependencies } from './unblock.http.ts';
