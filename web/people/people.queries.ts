import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

export function personQuery(personId: string) {
  return queryOptions({
    queryKey: ['people', personId],
    queryFn: () => answerOf(api.GET('/api/v1/people/{personId}', { params: { path: { personId } } })),
  });
}

/** Devices go on with enrolments at their own time: what became of them is asked for again this often. */
const ENROLMENTS_EVERY_MILLISECONDS = 10_000;

export function enrolmentsQuery(personId: string) {
  return pagedQuery(
    ['enrolments', { personId }],
    (page) => answerOf(api.GET('/api/v1/enrolments', { params: { query: { personId, ...page } } })),
    { everyMilliseconds: ENROLMENTS_EVERY_MILLISECONDS },
  );
}
