import { isDomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { nextAttempt } from './back-off.ts';
import type { HoldService } from './hold-certificate.ts';
import type { Due, RevocationQueue } from './ports.ts';
import type { RevocationService } from './revoke-certificate.ts';

export interface TellDueDependencies {
  readonly queue: RevocationQueue;
  readonly revocations: Pick<RevocationService, 'confirm'>;
  readonly holdService: Pick<HoldService, 'confirm'>;
  readonly runtime: Runtime;
  /** Told of each thing that a CA could not be told. For the log. */
  readonly onUnconfirmed: (error: unknown) => void;
}

/** Of each CA in one round: a round also has other things to do. */
const PER_AUTHORITY = 1_000;
/** Questions to one CA at once. */
const AT_ONCE = 8;

/**
 * Tells the CAs what is due. Each CA by itself: one that is away holds up none of the others, and of its own queue it is
 * asked about one thing, now and then, until it is back. Gives how much was told.
 */
export async function tellDue(deps: TellDueDependencies): Promise<number> {
  const due = await deps.queue.due(deps.runtime.now(), PER_AUTHORITY);
  const names = [...new Set(due.map(({ authority }) => authority))];
  const told = await Promise.all(
    names.map((name) =>
      tellOne(
        deps,
        name,
        due.filter(({ authority }) => authority === name),
      ),
    ),
  );
  return told.reduce((sum, count) => sum + count, 0);
}

async function tellOne(deps: TellDueDependencies, name: string, due: readonly Due[]): Promise<number> {
  const { queue, runtime } = deps;
  const waiting = [...due];
  let told = 0;
  let away = false;
  const tellNext = async (): Promise<boolean> => {
    const one = away ? undefined : waiting.shift();
    if (one === undefined) return false;
    try {
      await tell(deps, one);
      told += 1;
    } catch (error) {
      deps.onUnconfirmed(error);
      away ||= isDomainError(error) && error.kind === 'unavailable';
    }
    return true;
  };
  const tellAll = async () => {
    while (await tellNext());
  };
  // The first one alone: whether the CA is there is asked once.
  await tellNext();
  await Promise.all(Array.from({ length: AT_ONCE }, tellAll));
  const now = runtime.now();
  const attempts = Math.max(...due.map((one) => one.attempts)) + 1;
  if (away) await queue.defer(name, now, nextAttempt(attempts, false, now));
  else if (told > 0) await queue.hasten(name, now);
  return told;
}

/** As the worker, under a request of its own; what is recorded goes under the request that decided. */
function tell({ revocations, holdService, runtime }: TellDueDependencies, { what, certificateId }: Due): Promise<void> {
  const intent: Intent = { actor: { kind: 'system', id: 'worker', name: 'worker' }, requestId: runtime.newId() };
  return what === 'revocation'
    ? revocations.confirm(intent, certificateId)
    : holdService.confirm(intent, certificateId);
}
