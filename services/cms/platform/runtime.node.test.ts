import { describe, expect, it } from 'vitest';
import { createRuntime } from './runtime.node.ts';

describe('newId', () => {
  it('is a UUIDv7 of the time it was made at (RFC 9562, 5.7)', () => {
    const id = createRuntime(() => 0x017f22e279b0).newId();
    expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('grows with each call, also within a millisecond, also when the clock goes back', () => {
    let now = 1_700_000_000_000;
    const runtime = createRuntime(() => now);
    const ids = Array.from({ length: 10_000 }, (_, index) => {
      if (index === 5_000) now -= 60_000;
      return runtime.newId();
    });
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });
});
