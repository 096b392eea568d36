import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Page } from '../ui/Page.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';
import { SearchResults } from './SearchResults.tsx';
import { SHORTEST_QUERY, searchQuery } from './search.queries.ts';
import './search.css';

const TYPING_PAUSE_MILLISECONDS = 150;

/**
 * The one search box. Arrow keys walk through the results, Enter opens the first.
 * @param q what the address says is searched for; `onSearch` changes it
 */
export function SearchPage({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const [typed, setTyped] = useState(q);
  const list = useRef<HTMLUListElement>(null);
  const box = useRef<HTMLInputElement>(null);
  const wantsFirst = useRef(false);
  const mayCreatePeople = useMay(PERMISSION.createPeople);
  const results = useQuery(searchQuery(q));
  const settled = typed.trim() === q && !results.isFetching;

  useEffect(() => setTyped((now) => (now.trim() === q ? now : q)), [q]);
  useEffect(() => {
    if (typed.trim() === q) return;
    const timer = setTimeout(() => onSearch(typed.trim()), TYPING_PAUSE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed, q, onSearch]);
  useEffect(() => {
    if (!settled || !wantsFirst.current) return;
    wantsFirst.current = false;
    list.current?.querySelector('a')?.click();
  }, [settled]);

  const onKeyDown = (event: KeyboardEvent) => {
    const links = Array.from(list.current?.querySelectorAll('a') ?? []);
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === 'Enter' && at === -1) {
      event.preventDefault();
      // Enter may come before the answer for what was typed: opening a result of an earlier query would be wrong
      if (settled) links[0]?.click();
      else {
        wantsFirst.current = true;
        onSearch(typed.trim());
      }
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const next = at + (event.key === 'ArrowDown' ? 1 : -1);
      if (next < 0) box.current?.focus();
      else links[Math.min(next, links.length - 1)]?.focus();
    }
  };

  return (
    <Page title={t.search.title} focusHeading={false}>
      <search className="search" onKeyDown={onKeyDown}>
        <TextInput
          label={t.search.label}
          hint={t.search.hint}
          value={typed}
          onChange={(value) => {
            wantsFirst.current = false;
            setTyped(value);
          }}
          autoFocus
          maxLength={200}
          inputRef={box}
          name="q"
        />
        <ProblemNote error={results.error} />
        {q.length >= SHORTEST_QUERY && results.data ? (
          <SearchResults items={results.data.items} listRef={list} q={q} />
        ) : (
          <p className="hint">{q === '' ? t.search.keys : t.search.tooShort}</p>
        )}
      </search>
      {mayCreatePeople ? (
        <p>
          <Link to="/people/new" className="button button-secondary">
            {t.people.make}
          </Link>
        </p>
      ) : null}
    </Page>
  );
}
