import { queryOptions } from '@tanstack/react-query';
import { answerOf, api, versionedAnswerOf } from '../app/api.ts';

export const certificateProfilesQuery = queryOptions({
  queryKey: ['certificate-profiles'],
  queryFn: () => answerOf(api.GET('/api/v1/certificate-profiles', {})),
});

export function certificateProfileQuery(name: string) {
  return queryOptions({
    queryKey: ['certificate-profiles', name],
    queryFn: () => versionedAnswerOf(api.GET('/api/v1/certificate-profiles/{name}', { params: { path: { name } } })),
  });
}

export function certificateProfileVersionsQuery(name: string) {
  return queryOptions({
    queryKey: ['certificate-profiles', name, 'versions'],
    queryFn: () => answerOf(api.GET('/api/v1/certificate-profiles/{name}/versions', { params: { path: { name } } })),
  });
}
