import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@cardwright/protocol';

export interface Deadline {
  /** What is waited for, for the message: "postgres to accept connections". */
  readonly what: string;
  readonly seconds: number;
  readonly everyMs?: number;
}

/**
 * Asks again and again until `condition` gives something other than null, undefined or false, and returns that.
 * A condition that throws ends the wait at once. Error: `waited-too-long` (unavailable).
 */
export async function until<T>(
  deadline: Deadline,
  condition: () => T | Promise<T>,
): Promise<Exclude<T, null | undefined | false>> {
  const end = performance.now() + deadline.seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<T, null | undefined | false>;
    }
    if (performance.now() >= end) {
      throw new DomainError('unavailable', 'waited-too-long', `Waited ${deadline.seconds} s for ${deadline.what}.`);
    }
    await delay(deadline.everyMs ?? 25);
  }
}
