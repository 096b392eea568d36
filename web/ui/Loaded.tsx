import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { en as t } from '../texts/en.ts';
import { Button } from './Button.tsx';
import { ProblemNote } from './ProblemNote.tsx';

/** What a query answered; while it is asked, and when it is refused, says so. Old data stays while new is fetched. */
export function Loaded<Data>(props: { query: UseQueryResult<Data, Error>; children: (data: Data) => ReactNode }) {
  const { query } = props;
  if (query.data !== undefined) {
    return (
      <>
        {query.isRefetchError ? <ProblemNote error={query.error} title={t.problem.notRefreshed} /> : null}
        {props.children(query.data)}
      </>
    );
  }
  if (query.isError) {
    return (
      <div className="stack">
        <ProblemNote error={query.error} />
        <div>
          <Button onPress={() => void query.refetch()}>{t.common.tryAgain}</Button>
        </div>
      </div>
    );
  }
  return (
    <p className="loading" role="status">
      {t.common.loading}
    </p>
  );
}
