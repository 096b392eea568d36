export * from './cluster.ts';
export { removeCluster } from './cluster-folder.ts';
export * from './migrate.ts';
export * from './owner.ts';
export { findPostmaster } from './postmaster.ts';
export * from './roles.ts';
