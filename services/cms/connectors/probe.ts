import { isDomainError } from '@cardwright/protocol';
import type { Authorities } from '../certificates/index.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { AuthorityState, AuthorityStates } from './ports.ts';

const UP_EVERY_MILLIS = 30_000;
const [DOWN_SOONEST_MILLIS, DOWN_LATEST_MILLIS] = [5_000, 60_000];

/** The longer a CA is away, the more rarely it is looked for. */
export function dueForProbe(state: AuthorityState | undefined, now: Date): boolean {
  if (state === undefined) return true;
  const away = now.getTime() - state.since.getTime();
  const every =
    state.state === 'up' ? UP_EVERY_MILLIS : Math.min(DOWN_LATEST_MILLIS, Math.max(DOWN_SOONEST_MILLIS, away / 4));
  return now.getTime() - state.checkedAt.getTime() >= every;
}

export interface ProbeDependencies {
  readonly authorities: Authorities;
  readonly states: AuthorityStates;
  readonly runtime: Runtime;
}

/**
 * For the worker: looks whether each CA is there, where that is due, and keeps what it found for all processes. Begins the
 * looking and does not wait for it: a CA that hangs holds up nobody else's work.
 */
export function createProbe({ authorities, states, runtime }: ProbeDependencies): () => Promise<number> {
  const running = new Set<string>();

  async function probe(name: string): Promise<void> {
    try {
      await authorities.of(name).health?.();
      await states.note(name, 'up', null, null, runtime.now());
    } catch (error) {
      const [code, detail] = isDomainError(error)
        ? [error.code, error.detail]
        : ['ca-unavailable', 'The CA can not be reached.'];
      await states.note(name, 'down', code, detail, runtime.now());
    }
  }

  return async () => {
    const known = new Map((await states.all()).map((state) => [state.name, state]));
    for (const { name } of authorities.describe()) {
      if (running.has(name) || !dueForProbe(known.get(name), runtime.now())) continue;
      running.add(name);
      probe(name)
        // The database is away: the next round says so.
        .catch(() => undefined)
        .finally(() => running.delete(name));
    }
    return 0;
  };
}
