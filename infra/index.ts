export * from './database/index.ts';
export * from './processes/child.ts';
export * from './processes/identity.ts';
export * from './processes/ports.ts';
export * from './processes/until.ts';
export * from './repository/root.ts';
export * from './software-tpm/start.ts';
