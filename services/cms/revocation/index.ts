export type { Revocations } from './ports.ts';
export { REVOCATION_REASONS, type Revocation, type RevocationReason } from './revocation.ts';
export { createRevocations, type RevocationService, type Why } from './revoke-certificate.ts';
