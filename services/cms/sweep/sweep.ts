import { isDomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';

/** One kind of thing that a crash, or a system that was away, leaves half done. */
export interface Remainder {
  readonly name: string;
  /** Ids, oldest first, of what has waited long enough that nobody is at it any more. */
  due(now: Date, limit: number): Promise<readonly string[]>;
  /** Goes on with one. Safe to repeat, and safe beside somebody who is at it after all. */
  complete(intent: Intent, id: string): Promise<void>;
}

/** What is forgotten when its time is over. Gives how much it was. */
export interface Housekeeping {
  readonly name: string;
  sweep(now: Date): Promise<number>;
}

export interface SweepDependencies {
  readonly remainders: readonly Remainder[];
  readonly housekeeping: readonly Housekeeping[];
  readonly runtime: Runtime;
  /** Told of each thing that could not be completed. */
  readonly onError: (error: unknown, name: string, id: string | null) => void;
  readonly stopping: () => boolean;
}

/** How many of each kind one round takes on: the rest is for the next round. */
const BATCH = 100;

/** One round. Gives how many things were completed, by name; errors of single things don't end it. */
export async function sweep(deps: SweepDependencies): Promise<Readonly<Record<string, number>>> {
  const { runtime, onError, stopping } = deps;
  const done: Record<string, number> = {};
  for (const remainder of deps.remainders) {
    const completed = await completeAll(deps, remainder);
    if (completed > 0) done[remainder.name] = completed;
  }
  for (const task of deps.housekeeping) {
    if (stopping()) break;
    try {
      const count = await task.sweep(runtime.now());
      if (count > 0) done[task.name] = count;
    } catch (error) {
      onError(error, task.name, null);
    }
  }
  return done;
}

async function completeAll(deps: SweepDependencies, remainder: Remainder): Promise<number> {
  const { runtime, onError, stopping } = deps;
  let completed = 0;
  let ids: readonly string[] = [];
  try {
    ids = await remainder.due(runtime.now(), BATCH);
  } catch (error) {
    onError(error, remainder.name, null);
  }
  for (const id of ids) {
    if (stopping()) break;
    const requestId = runtime.newId();
    try {
      await remainder.complete({ actor: { kind: 'system', id: 'worker', name: 'worker' }, requestId }, id);
      completed += 1;
    } catch (error) {
      onError(error, remainder.name, id);
      // The other side is away: the rest of this kind would only wait for it, one timeout after the other.
      if (isDomainError(error) && error.kind === 'unavailable') break;
    }
  }
  return completed;
}
