export { answerApproved } from './decide-request.ts';
export type { AnswerRecords, ChallengeAnswers, UnblockSessions } from './ports.ts';
export type { CardApprovals } from './self-service-ports.ts';
export type { UnblockDependencies } from './unblock.http.ts';
