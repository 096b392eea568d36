import { randomBytes } from 'node:crypto';
import type { Runtime } from '../kernel/runtime.ts';

/**
 * UUIDv7, RFC 9562 section 5.7: 48 bits of Unix milliseconds, then 12 bits that count within the millisecond (method 1
 * of section 6.2), then 62 random bits. The counter keeps ids of one process in order; across processes they are
 * ordered only by millisecond.
 */
export function createRuntime(clock: () => number = Date.now): Runtime {
  let lastMillis = 0;
  let counter = 0;

  function nextTick(): void {
    const now = clock();
    if (now > lastMillis) {
      lastMillis = now;
      counter = randomBytes(1)[0] ?? 0;
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
      nextTick();
      const bytes = Buffer.alloc(16);
      bytes.writeUIntBE(lastMillis, 0, 6);
      bytes.writeUInt16BE(0x7000 | counter, 6);
      randomBytes(8).copy(bytes, 8);
      bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
      const hex = bytes.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  };
}
