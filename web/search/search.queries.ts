import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';

/** The least that the server searches for. */
export const SHORTEST_QUERY = 2;

export function searchQuery(q: string) {
  return queryOptions({
    queryKey: ['search', q],
    queryFn: ({ signal }) => answerOf(api.GET('/api/v1/search', { params: { query: { q } }, signal })),
    enabled: q.length >= SHORTEST_QUERY,
    placeholderData: (previous) => (q.length >= SHORTEST_QUERY ? previous : undefined),
  });
}
