import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';

/** Whether a CA answers changes by itself: it is asked for again this often. */
const EVERY_MILLISECONDS = 10_000;

export const authoritiesQuery = queryOptions({
  queryKey: ['authorities'],
  queryFn: () => answerOf(api.GET('/api/v1/certificate-authorities', {})),
  refetchInterval: EVERY_MILLISECONDS,
});
