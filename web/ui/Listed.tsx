import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ListPage } from '../app/paged.ts';
import { en as t } from '../texts/en.ts';
import { Button } from './Button.tsx';
import { ProblemNote } from './ProblemNote.tsx';

/** A list read page by page: its rows so far, and a button for more while the server says that there are more. */
export function Listed<Item>(props: {
  query: UseInfiniteQueryResult<InfiniteData<ListPage<Item>>, Error>;
  empty: string;
  children: (items: Item[]) => ReactNode;
}) {
  const { query } = props;
  const items = query.data?.pages.flatMap((page) => page.items);
  return (
    <div className="stack">
      {query.isPending ? (
        <p className="loading" role="status">
          {t.common.loading}
        </p>
      ) : null}
      {items !== undefined && items.length > 0 ? props.children(items) : null}
      {items?.length === 0 ? <p className="empty">{props.empty}</p> : null}
      <ProblemNote error={query.error} />
      {query.hasNextPage ? (
        <div>
          <Button onPress={() => void query.fetchNextPage()} pending={query.isFetchingNextPage}>
            {t.common.loadMore}
          </Button>
        </div>
      ) : null}
    </div>
  );
}
