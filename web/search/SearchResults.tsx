import type { RefObject } from 'react';
import type { SearchResult } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { StateBadge } from '../ui/StateBadge.tsx';
import { RecordLink } from './RecordLink.tsx';

export function SearchResults(props: {
  items: readonly SearchResult[];
  listRef: RefObject<HTMLUListElement | null>;
  q: string;
}) {
  return (
    <>
      <p role="status" className="hint">
        {props.items.length === 0 ? t.search.none(props.q) : t.search.found(props.items.length)}
      </p>
      <ul className="results" ref={props.listRef} aria-label={t.search.results}>
        {props.items.map((item) => (
          <li key={`${item.kind}-${item.id}`}>
            <RecordLink kind={item.kind} id={item.id} className="result">
              <span className={`kind kind-${item.kind}`}>{t.kind[item.kind]}</span>
              <span className="result-title">{item.title}</span>
              <span className="result-subtitle">{item.subtitle}</span>
              {item.state ? <StateBadge state={item.state} /> : null}
            </RecordLink>
          </li>
        ))}
      </ul>
    </>
  );
}
