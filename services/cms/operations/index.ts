export { type Counts, type Operation, PLAN_SECONDS, totalOf } from './operation.ts';
export { countItems } from './operations.pg.ts';
export type { OperationRecords, Work } from './ports.ts';
export { type OperationPorts, type RunOperationsPorts, runOperations, startOperation } from './run-operations.ts';
export { OperationSchema, operationComponents, toOperationBody } from './schema.http.ts';
