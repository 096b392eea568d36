import { en as t } from '../texts/en.ts';
import { stateTone } from './state-tone.ts';

/** A state as a word with a mark; never by colour alone. */
export function StateBadge({ state }: { state: string }) {
  return (
    <span className={`badge badge-${stateTone(state)}`} data-state={state}>
      {t.state[state as keyof typeof t.state] ?? state}
    </span>
  );
}
