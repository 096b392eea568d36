import { queryOptions } from '@tanstack/react-query';
import { answerOf, api, versionedAnswerOf } from '../app/api.ts';

export const cardProfilesQuery = queryOptions({
  queryKey: ['card-profiles'],
  queryFn: () => answerOf(api.GET('/api/v1/card-profiles', {})),
});

export function cardProfileQuery(name: string) {
  return queryOptions({
    queryKey: ['card-profiles', name],
    queryFn: () => versionedAnswerOf(api.GET('/api/v1/card-profiles/{name}', { params: { path: { name } } })),
  });
}
