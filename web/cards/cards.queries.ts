import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

export function cardQuery(cardId: string) {
  return queryOptions({
    queryKey: ['cards', cardId],
    queryFn: () => answerOf(api.GET('/api/v1/cards/{cardId}', { params: { path: { cardId } } })),
  });
}

/** Cards by whose they are, where they are, or their state. */
export function cardsQuery(filter: { personId?: string; deviceId?: string; state?: 'blocked' }) {
  return pagedQuery(['cards', filter], (page) =>
    answerOf(api.GET('/api/v1/cards', { params: { query: { ...filter, ...page } } })),
  );
}
