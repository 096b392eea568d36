import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';
import type { AuditFilter } from './audit-filter.ts';

/** Audit events, newest first. */
export function eventsQuery(filter: AuditFilter, limit: number) {
  return pagedQuery(
    ['events', filter, limit],
    (page) => answerOf(api.GET('/api/v1/audit/events', { params: { query: { ...filter, ...page } } })),
    { limit },
  );
}
