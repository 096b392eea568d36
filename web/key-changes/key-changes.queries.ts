import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

/** A change goes on while somebody looks at it: the device does it. */
const EVERY_MILLISECONDS = 10_000;

export function keyChangesQuery(cardId: string) {
  return pagedQuery(
    ['key-changes', { cardId }],
    (page) =>
      answerOf(
        api.GET('/api/v1/cards/{cardId}/administrator-key-changes', { params: { path: { cardId }, query: page } }),
      ),
    { everyMilliseconds: EVERY_MILLISECONDS },
  );
}
