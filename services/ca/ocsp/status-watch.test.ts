import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ChangeLog, statusWatch } from './status-watch.ts';

function watched(log: Partial<ChangeLog>, patienceMs = 1000) {
  const told: (readonly string[] | null)[] = [];
  const clock = { at: 0 };
  const watch = statusWatch({
    log: { counts: async () => new Map(), changedAfter: async () => [], ...log },
    now: () => clock.at,
    onChange: (serials) => told.push(serials),
    timeout: (_ms, signal) => delay(patienceMs, undefined, { signal }),
  });
  return { watch, told, clock };
}

describe('the watch over changes', () => {
  it('tells which certificates changed since the last look, of each shard, and not of what was before the first', async () => {
    let counts = new Map([[0, 7n]]);
    const { watch, told } = watched({
      counts: async () => counts,
      changedAfter: async (shard, after) => [`${shard} after ${after}`],
    });
    await watch.look();
    expect(told).toEqual([]);
    counts = new Map([
      [0, 8n],
      [3, 1n],
    ]);
    await watch.look();
    await watch.look();
    expect(told).toEqual([['0 after 7'], ['3 after 0']]);
  });

  it('is up to date for moments after a look', async () => {
    const { watch, clock } = watched({});
    expect(watch.upToDate()).toBe(false);
    await watch.look();
    clock.at = 600;
    expect([watch.current(), watch.upToDate()]).toEqual([true, true]);
    clock.at = 601;
    expect([watch.current(), watch.upToDate()]).toEqual([false, false]);
  });

  it('stands by what is known while the database fails or is silent, and catches up when it is back', async () => {
    let answer: () => Promise<ReadonlyMap<number, bigint>> = async () => new Map([[0, 1n]]);
    const { watch, told, clock } = watched({ counts: () => answer(), changedAfter: async () => null }, 20);
    await watch.look();
    for (const broken of [() => Promise.reject(new Error('gone')), () => delay(60).then(() => new Map([[0, 1n]]))]) {
      clock.at += 1000;
      answer = broken;
      await watch.look();
      expect([watch.current(), watch.upToDate()]).toEqual([false, true]);
      await delay(100);
    }
    answer = async () => new Map([[0, 2n]]);
    await watch.look();
    expect(told).toEqual([null]);
    expect(watch.current()).toBe(true);
  });

  it('looks once at a time', async () => {
    let looks = 0;
    const { watch } = watched({
      counts: async () => {
        looks += 1;
        await delay(10);
        return new Map();
      },
    });
    await Promise.all([watch.look(), watch.look(), watch.look()]);
    expect(looks).toBe(1);
  });
});
