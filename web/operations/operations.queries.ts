import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import type { OperationItem } from '../app/contract.ts';
import { pagedQuery } from '../app/paged.ts';

/** While it runs, how far it is is asked for this often. */
const EVERY_MILLISECONDS = 1_500;

export function operationQuery(operationId: string) {
  return queryOptions({
    queryKey: ['operations', operationId],
    queryFn: () => answerOf(api.GET('/api/v1/operations/{operationId}', { params: { path: { operationId } } })),
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? EVERY_MILLISECONDS : false),
  });
}

export const operationsQuery = pagedQuery(['operations', 'list'], (page) =>
  answerOf(api.GET('/api/v1/operations', { params: { query: page } })),
);

export type ItemState = OperationItem['state'];

export function operationItemsQuery(operationId: string, state: ItemState | undefined, isRunning: boolean) {
  return pagedQuery(
    ['operations', operationId, 'items', { state }],
    (page) =>
      answerOf(
        api.GET('/api/v1/operations/{operationId}/items', {
          params: { path: { operationId }, query: { ...page, ...(state === undefined ? {} : { state }) } },
        }),
      ),
    isRunning ? { everyMilliseconds: EVERY_MILLISECONDS } : {},
  );
}
