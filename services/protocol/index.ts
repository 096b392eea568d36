export * from './errors.ts';
export * from './key-types.ts';
export * from './secret.ts';
