import { en as t } from '../texts/en.ts';
import { stateTone } from '../ui/state-tone.ts';
import { lifeCycle } from './life-cycle.ts';

export function LifeCycleStrip({ state }: { state: string }) {
  return (
    <ol className="life-cycle" aria-label={t.cards.lifeCycle}>
      {lifeCycle(state).map((stage) => (
        <li
          key={stage.state}
          className={`${stage.phase} tone-${stateTone(stage.state)}`}
          aria-current={stage.phase === 'current' ? 'step' : undefined}
        >
          {t.state[stage.state as keyof typeof t.state] ?? stage.state}
        </li>
      ))}
    </ol>
  );
}
