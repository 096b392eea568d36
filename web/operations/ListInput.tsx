import { type ChangeEvent, useId } from 'react';
import { en as t } from '../texts/en.ts';
import { FieldProblem } from '../ui/TextInput.tsx';

/** A list of serial numbers or thumbprints: typed, pasted, or from a file, which is read here and shown. */
export function ListInput(props: { value: string; onChange: (value: string) => void; error: string | undefined }) {
  const [listId, fileId, hintId, errorId] = [useId(), useId(), useId(), useId()];
  const take = async (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = event.target.files ?? [];
    if (file !== undefined) props.onChange(await file.text());
  };
  return (
    <>
      <div className="field">
        <label className="label" htmlFor={listId}>
          {t.batches.list}
        </label>
        <span id={hintId} className="hint">
          {t.batches.listHint}
        </span>
        <textarea
          id={listId}
          className="input input-lines"
          rows={8}
          spellCheck={false}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
          aria-invalid={props.error !== undefined}
          aria-describedby={props.error === undefined ? hintId : `${hintId} ${errorId}`}
        />
        <FieldProblem id={errorId} error={props.error} />
      </div>
      <div className="field">
        <label className="label" htmlFor={fileId}>
          {t.batches.listFile}
        </label>
        <input id={fileId} type="file" accept=".txt,.csv,text/plain,text/csv" onChange={(event) => void take(event)} />
      </div>
    </>
  );
}
