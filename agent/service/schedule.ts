/**
 * When a server is asked next. Pure: times in milliseconds, `random` gives 0 to 1. The intervals are spread, so that a fleet
 * that was switched on at once, or that lost its server at once, does not come back at once.
 */
export const BOUNDS = {
  /** However the server chooses. */
  leastSeconds: 10,
  mostSeconds: 24 * 60 * 60,
  /** Where the server does not choose. */
  usualSeconds: 15 * 60,
  firstBackOffSeconds: 5,
  longestBackOffSeconds: 15 * 60,
  /** Of a start: not every device of an office asks in the second in which its power came back. */
  firstWithinSeconds: 5,
} as const;

const SPREAD = 0.1;

export interface Schedule {
  readonly dueAt: number;
  /** In a row. */
  readonly failures: number;
}

export const atStart = (now: number, random: () => number): Schedule => ({
  dueAt: now + random() * BOUNDS.firstWithinSeconds * 1000,
  failures: 0,
});

/** @param nextSeconds as the server said; null if it did not. */
export function afterSuccess(now: number, nextSeconds: number | null, random: () => number): Schedule {
  const asked = nextSeconds ?? BOUNDS.usualSeconds;
  const seconds = Math.min(BOUNDS.mostSeconds, Math.max(BOUNDS.leastSeconds, asked));
  return { dueAt: now + seconds * 1000 * (1 - SPREAD + 2 * SPREAD * random()), failures: 0 };
}

/** @param retryAfterSeconds as the server said; null if it did not. */
export function afterFailure(
  { failures }: Pick<Schedule, 'failures'>,
  now: number,
  retryAfterSeconds: number | null,
  random: () => number,
): Schedule {
  const longest = Math.min(BOUNDS.longestBackOffSeconds, BOUNDS.firstBackOffSeconds * 2 ** Math.min(failures, 16));
  const backOff = longest * (0.5 + random() / 2);
  const told = Math.min(BOUNDS.mostSeconds, retryAfterSeconds ?? 0);
  // Retry-After is the earliest time (RFC 9110 10.2.3): what is added spreads those who were told the same.
  const seconds = Math.max(backOff, told * (1 + SPREAD * random()));
  return { dueAt: now + seconds * 1000, failures: failures + 1 };
}

/** Also when the clock was set back: no server waits longer than the longest interval that there is. */
export const isDue = ({ dueAt }: Schedule, now: number): boolean =>
  now >= dueAt || dueAt - now > BOUNDS.mostSeconds * 1000 * (1 + SPREAD);
