import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

export function personQuery(personId: string) {
  return queryOptions({
    queryKey: ['people', personId],
    queryFn: () => answerOf(api.GET('/api/v1/people/{personId}', { params: { path: { personId } } })),
  });
}

export function enrolmentsQuery(personId: string) {
  return pagedQuery(['enrolments', { personId }], (page) =>
    answerOf(api.GET('/api/v1/enrolments', { params: { query: { personId, ...page } } })),
  );
}
