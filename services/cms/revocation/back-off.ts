/**
 * When the CA is asked again. A request that has just decided tells the CA itself: the worker leaves it that time. A CA
 * that is away is asked ever more seldom, and one that answered and would not seldom from the first: somebody has to
 * put something right before it will.
 */
export const GRACE_MILLIS = 15_000;
const FIRST_MILLIS = 5_000;
const MAX_MILLIS = 15 * 60_000;
const REFUSED_MILLIS = 60 * 60_000;

/** @param attempts how often the CA was asked in vain, this time included: 1 or more */
export function nextAttempt(attempts: number, refused: boolean, now: Date): Date {
  const exponent = Math.min(Math.max(attempts, 1), 20) - 1;
  const wait = refused ? REFUSED_MILLIS : Math.min(FIRST_MILLIS * 2 ** exponent, MAX_MILLIS);
  return new Date(now.getTime() + wait);
}

export const firstAttempt = (now: Date): Date => new Date(now.getTime() + GRACE_MILLIS);
