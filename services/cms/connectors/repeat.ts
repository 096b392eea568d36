import { DomainError } from '@cardwright/protocol';
import type { AttemptHistory } from './ports.ts';
import { unavailable } from './refusals.ts';

/** A CA that gives wrong certificates is not asked for ever: each is a certificate in the world until it is revoked. */
const MOST_WRONG = 3;
const FIRST_PAUSE_MILLIS = 5_000;
const LONGEST_PAUSE_MILLIS = 3_600_000;

/**
 * Whether the CA may be asked now. Each question whose outcome nobody knows may have made a certificate that we will never
 * see: so the pause doubles with each, and one that is still open is waited for.
 * @throws DomainError `ca-unavailable`; `ca-answers-wrong` (unprocessable).
 */
export function demandMayAsk(history: AttemptHistory, now: Date): void {
  if (history.open) throw unavailable('The CA has been asked and has not answered yet; its answer is waited for.');
  if (history.wrong >= MOST_WRONG) {
    const detail = `The CA answered ${history.wrong} times with a certificate other than the one asked for. Look at the CA, then ask again with a new request.`;
    throw new DomainError('unprocessable', 'ca-answers-wrong', detail);
  }
  if (history.unknown === 0 || history.lastStartedAt === null) return;
  const pause = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** Math.min(history.unknown - 1, 20));
  const from = history.lastStartedAt.getTime() + pause;
  if (now.getTime() >= from) return;
  throw unavailable(
    `The CA gave no answer ${history.unknown} times; it is asked again from ${new Date(from).toISOString()} on.`,
  );
}
