import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { FieldProblem, TextInput } from '../ui/TextInput.tsx';
import type { RecordKind } from './RecordLink.tsx';
import { SHORTEST_QUERY, searchQuery } from './search.queries.ts';
import './search.css';

export interface Picked {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
}

const MOST = 6;

/** Chooses one record of a kind by searching for it. */
export function RecordPicker(props: {
  label: string;
  kind: RecordKind;
  picked: Picked | null;
  onPick: (picked: Picked | null) => void;
  optional?: boolean;
  error?: string | undefined;
}) {
  const [q, setQ] = useState('');
  const { data } = useQuery(searchQuery(q.trim()));
  if (props.picked !== null) {
    return (
      <div className="field">
        <span className="label">{props.label}</span>
        <span className="actions">
          {props.picked.title} <span className="soft">{props.picked.subtitle}</span>
          <Button variant="quiet" onPress={() => props.onPick(null)}>
            {t.picker.another}
          </Button>
        </span>
        <FieldProblem id={`picked-${props.kind}`} error={props.error} />
      </div>
    );
  }
  const hits = q.trim().length < SHORTEST_QUERY ? undefined : data?.items.filter(({ kind }) => kind === props.kind);
  return (
    <div className="field">
      <TextInput
        label={props.label}
        hint={t.picker.find}
        optional={props.optional ?? false}
        value={q}
        maxLength={200}
        onChange={setQ}
        error={props.error}
      />
      {hits?.length === 0 ? (
        <p className="hint" role="status">
          {t.picker.none}
        </p>
      ) : null}
      {hits !== undefined && hits.length > 0 ? (
        <ul className="picker" aria-label={t.search.results}>
          {hits.slice(0, MOST).map((hit) => (
            <li key={hit.id}>
              <Button variant="quiet" onPress={() => props.onPick(hit)}>
                {t.picker.choose(hit.title)}
              </Button>
              <span className="soft">{hit.subtitle}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
