export { MAX_A_DAY } from './policy.ts';
export { keptVersions } from './profile-versions.ts';
export { createRenewalQueue, type QueueRenewalsPorts } from './queue-renewals.ts';
