import { randomBytes, randomUUID } from 'node:crypto';
import type { Runtime } from '../kernel/runtime.ts';

/**
 * UUIDv7, RFC 9562 section 5.7: 48 bits of Unix milliseconds, then 12 bits that count within the millisecond (method 1
 * of section 6.2), then 62 random bits. The counter keeps ids of one process in order; across processes they are
 * ordered only by millisecond.
 */
export function createRuntime(clock: () => number = Date.now): Runtime {
  let lastMillis = 0;
  let counter = 0;

  /** @param start where a new millisecond begins to count: 8 random bits. */
  function nextTick(start: number): void {
    const now = clock();
    if (now > lastMillis) {
      lastMillis = now;
      counter = start;
      return;
    }
    counter += 1;
    if (counter > 0xfff) {
      // 4096 in one millisecond: borrow from the next one rather than lose the order.
      lastMillis += 1;
      counter = 0;
    }
  }

  return {
    now: () => new Date(clock()),
    newId() {
      // Node draws the randomness of its UUIDs in advance, which costs less than asking for a few bytes each time. The last
      // 64 bits of a version 4 are those of a version 7 too: the variant and 62 random bits.
      const random = randomUUID();
      nextTick(Number.parseInt(random.slice(0, 2), 16));
      const time = lastMillis.toString(16).padStart(12, '0');
      const count = counter.toString(16).padStart(3, '0');
      return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${random.slice(19)}`;
    },
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  };
}
