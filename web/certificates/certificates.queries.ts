import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

export interface CertificateFilter {
  deviceId?: string;
  cardId?: string;
  personId?: string;
}

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
