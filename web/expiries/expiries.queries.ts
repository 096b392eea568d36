import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

export const expiriesQuery = queryOptions({
  queryKey: ['expiries'],
  queryFn: () => answerOf(api.GET('/api/v1/certificate-expiries', {})),
});

export function endingQuery(month: string) {
  return pagedQuery(['expiries', month], (page) =>
    answerOf(
      api.GET('/api/v1/certificate-expiries/{month}/certificates', { params: { path: { month }, query: page } }),
    ),
  );
}
