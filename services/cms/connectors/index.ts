export { createAuthorities, EMBEDDED, type NamedAuthority } from './authorities.ts';
export type { CaConnector } from './ports.ts';
export { createRecordedAuthority, type RecordedAuthorityDependencies } from './recorded-authority.ts';
export { type ConnectorWork, createConnectorWork } from './remaining-work.ts';
export { revokeByHand } from './revoke-by-hand.ts';
