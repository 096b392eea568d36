import { DomainError } from '@cardwright/protocol';

/** Failures of one name from one address: another address is not locked out by them. */
export interface SignInThrottle {
  /** @throws DomainError (too-many) `sign-in-throttled`. */
  demand(key: string, now: Date): void;
  failed(key: string, now: Date): void;
  succeeded(key: string): void;
}

const WINDOW_MILLIS = 15 * 60_000;
const FREE_FAILURES = 5;
/** Beyond this many keys the oldest are forgotten: memory is bounded, and an address has its own limit before this one. */
const MAX_KEYS = 50_000;

/**
 * After five failures each further one doubles the wait, from 2 seconds up to the window. Kept in this process's
 * memory: with several processes an attacker gets as many times more tries. The per-address limit of the route and the
 * cost of argon2id stand beside it.
 */
export function createSignInThrottle(): SignInThrottle {
  const failures = new Map<string, { count: number; last: number }>();
  return {
    demand(key, now) {
      const entry = failures.get(key);
      if (entry === undefined || entry.count < FREE_FAILURES) return;
      const wait = Math.min(2_000 * 2 ** (entry.count - FREE_FAILURES), WINDOW_MILLIS);
      const left = entry.last + wait - now.getTime();
      if (left <= 0) return;
      throw new DomainError('too-many', 'sign-in-throttled', 'Too many failed sign-ins. Wait, then try again.', {
        data: { retryAfterSeconds: Math.ceil(left / 1000) },
      });
    },
    failed(key, now) {
      const entry = failures.get(key);
      const fresh = entry !== undefined && now.getTime() - entry.last < WINDOW_MILLIS;
      failures.delete(key);
      failures.set(key, { count: fresh ? entry.count + 1 : 1, last: now.getTime() });
      const oldest = failures.keys().next();
      if (failures.size > MAX_KEYS && !oldest.done) failures.delete(oldest.value);
    },
    succeeded(key) {
      failures.delete(key);
    },
  };
}
