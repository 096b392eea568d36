/**
 * The server's clock as seen from here. Expiry times are the server's, and the clock of a helpdesk computer may be
 * wrong by minutes: a countdown by it alone would show a dead response as alive.
 */
let offsetMilliseconds = 0;

/** @param date the Date header of an answer (RFC 9110 section 6.6.1; whole seconds), received just now */
export function heardServerTime(date: string | null, now: number = Date.now()): void {
  if (date === null) return;
  const server = Date.parse(date);
  if (!Number.isNaN(server)) offsetMilliseconds = server - now;
}

/** Milliseconds since the epoch by the server's clock, to about a second. */
export function serverNow(now: number = Date.now()): number {
  return now + offsetMilliseconds;
}
