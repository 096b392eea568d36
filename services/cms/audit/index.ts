export { AUDIT_COLUMNS, type AuditEvent, auditInsertSelect, auditValues } from './event.ts';
export type { AuditFilters, AuditLog } from './ports.ts';
