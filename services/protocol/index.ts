export * from './errors.ts';
export * from './secret.ts';
