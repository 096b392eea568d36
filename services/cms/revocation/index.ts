export type { Hold } from './hold.ts';
export { createHolds, type HoldService } from './hold-certificate.ts';
export type { RevocationQueue, Revocations } from './ports.ts';
export { demandInvalidity, REVOCATION_REASONS, type Revocation, type RevocationReason } from './revocation.ts';
export {
  createRevocations,
  type RevocationDependencies,
  type RevocationService,
  type Why,
} from './revoke-certificate.ts';
export { type BatchPorts, createRevocationBatchWork, planBatch } from './run-batch.ts';
export { type TellDueDependencies, tellDue } from './tell-due.ts';
