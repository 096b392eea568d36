import { isDomainError } from '@cardwright/protocol';
import { nextAttempt } from './back-off.ts';
import type { Failure } from './ports.ts';

/** What is kept of it. What no CA said, but something of ours, is told of in the log alone. */
export function failureOf(error: unknown, { attempts }: { readonly attempts: number }, now: Date): Failure {
  const known = isDomainError(error) && error.kind !== 'internal' ? error : null;
  const refused = known !== null && known.kind !== 'unavailable' && known.kind !== 'too-many';
  const { code, detail } = known ?? { code: 'internal', detail: 'Something went wrong on our side; see the log.' };
  const made = attempts + 1;
  return { attempts: made, error: { code, detail, refused }, nextAttemptAt: nextAttempt(made, refused, now) };
}
