import { ApiError } from '../app/api-error.ts';
import { en as t } from '../texts/en.ts';

/** What went wrong, in the server's words, with the code that support asks for. Announced when it appears. */
export function ProblemNote({ error, title }: { error: Error | null | undefined; title?: string }) {
  if (!error) return null;
  const known = error instanceof ApiError ? error : null;
  // what the detail says already is not said twice
  const fields = known?.fields.filter((field) => !known.detail.includes(field.detail)) ?? [];
  return (
    <div role="alert" className="problem">
      <p className="problem-detail">
        {title ? <strong>{title} </strong> : null}
        {known?.detail ?? t.problem.defect}
      </p>
      {fields.length > 0 ? (
        <ul>
          {fields.map((field) => (
            <li key={field.pointer}>
              <code>{field.pointer.replace(/^\//, '')}</code> {field.detail}
            </li>
          ))}
        </ul>
      ) : null}
      <p className="problem-code">
        <code>{known?.code ?? error.name}</code>
        {known?.retryAfterSeconds ? ` · ${t.problem.retryAfter(known.retryAfterSeconds)}` : null}
        {known?.requestId ? ` · ${t.problem.request(known.requestId)}` : null}
      </p>
    </div>
  );
}
