export type * from './lockout/operations.ts';
export type * from './operations.ts';
export { connectVault, type VaultClient } from './vault-client.socket.ts';
