import type { Operation } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import './operations.css';

const texts = t.operations;

/** How far an operation is: as a bar, and in numbers for whoever does not see it. */
export function ProgressOf({ operation: { progress, counts } }: { operation: Operation }) {
  const notes = [
    progress.failed > 0 ? texts.failedOf(progress.failed) : null,
    counts.decided > 0 ? texts.decidedOf(counts.decided) : null,
    counts.skipped > 0 ? texts.skippedOf(counts.skipped) : null,
    counts.added > 0 ? texts.addedOf(counts.added) : null,
  ].filter((note) => note !== null);
  return (
    <div className="operation-progress">
      <progress aria-label={texts.progress} max={Math.max(progress.total, 1)} value={progress.done} />
      <p role="status">
        <strong>{texts.progressOf(progress.done, progress.total)}</strong>
        {notes.length > 0 ? <span className="soft"> · {notes.join(' · ')}</span> : null}
      </p>
    </div>
  );
}
