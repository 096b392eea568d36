import { infiniteQueryOptions, type QueryKey } from '@tanstack/react-query';

/** One page of a list as the API sends it. `next` is an opaque cursor. */
export interface ListPage<Item> {
  items: Item[];
  next?: string | null;
}

/** Cursor and size as query parameters; no cursor asks for the first page. */
export type PageQuery = { cursor?: string; limit: number };

/** A list read page by page, by keyset: filters and order are the server's. */
export function pagedQuery<Item>(
  queryKey: QueryKey,
  fetchPage: (page: PageQuery) => Promise<ListPage<Item>>,
  { limit = 25, everyMilliseconds }: { limit?: number; everyMilliseconds?: number } = {},
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam }) => fetchPage(pageParam === null ? { limit } : { cursor: pageParam, limit }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    refetchInterval: everyMilliseconds ?? (false as const),
  });
}
