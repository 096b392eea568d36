import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

/** Requests wait for a person: the lists that show them are asked for again this often. */
const REQUESTS_EVERY_MILLISECONDS = 10_000;
const OUTCOME_EVERY_MILLISECONDS = 3_000;

export function sessionOfCardQuery(cardId: string) {
  return pagedQuery(
    ['unblock-sessions', { cardId }],
    (page) =>
      answerOf(api.GET('/api/v1/cards/{cardId}/unblock-sessions', { params: { path: { cardId }, query: page } })),
    { everyMilliseconds: REQUESTS_EVERY_MILLISECONDS },
  );
}

export function requestedSessionsQuery() {
  return pagedQuery(
    ['unblock-sessions', { state: 'requested' }],
    (page) => answerOf(api.GET('/api/v1/unblock-sessions', { params: { query: { state: 'requested', ...page } } })),
    { everyMilliseconds: REQUESTS_EVERY_MILLISECONDS },
  );
}

/** One session; while the device has still to say whether it worked, asked for again and again. */
export function unblockSessionQuery(unblockSessionId: string) {
  return queryOptions({
    queryKey: ['unblock-sessions', unblockSessionId],
    queryFn: () =>
      answerOf(api.GET('/api/v1/unblock-sessions/{unblockSessionId}', { params: { path: { unblockSessionId } } })),
    refetchInterval: (query) =>
      query.state.data?.origin === 'device' && query.state.data.state === 'answered'
        ? OUTCOME_EVERY_MILLISECONDS
        : false,
  });
}
