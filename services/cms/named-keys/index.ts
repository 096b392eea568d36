export type { NamedKeys } from './ports.ts';
