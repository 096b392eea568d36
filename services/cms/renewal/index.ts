export { createRenewalQueue, type QueueRenewalsPorts } from './queue-renewals.ts';
