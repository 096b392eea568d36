import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';
import type { CertificateFilter } from './certificate-filter.ts';

export function certificateQuery(certificateId: string) {
  return queryOptions({
    queryKey: ['certificates', certificateId],
    queryFn: () => answerOf(api.GET('/api/v1/certificates/{certificateId}', { params: { path: { certificateId } } })),
  });
}

export function certificatesQuery(filter: CertificateFilter) {
  return pagedQuery(['certificates', filter], (page) =>
    answerOf(api.GET('/api/v1/certificates', { params: { query: { ...filter, ...page } } })),
  );
}

/** While the CA has not heard of it, what becomes of it is asked for again this often. */
const TELLING_EVERY_MILLISECONDS = 5_000;

export function revocationQuery(certificateId: string) {
  return queryOptions({
    queryKey: ['revocations', certificateId],
    queryFn: () =>
      answerOf(api.GET('/api/v1/certificates/{certificateId}/revocations', { params: { path: { certificateId } } })),
    refetchInterval: ({ state }) => (state.data?.state === 'proposed' ? TELLING_EVERY_MILLISECONDS : false),
  });
}

export function holdsQuery(certificateId: string) {
  return queryOptions({
    queryKey: ['certificates', certificateId, 'holds'],
    queryFn: () =>
      answerOf(api.GET('/api/v1/certificates/{certificateId}/holds', { params: { path: { certificateId } } })),
  });
}

export function historyQuery(certificateId: string) {
  return pagedQuery(['certificates', certificateId, 'history'], (page) =>
    answerOf(
      api.GET('/api/v1/certificates/{certificateId}/history', {
        params: { path: { certificateId }, query: page },
      }),
    ),
  );
}
