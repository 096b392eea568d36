import { expect, test } from 'vitest';
import { batch } from './batch.ts';

test('asks together what comes in one turn, and gives each its own answer', async () => {
  const sizes: number[] = [];
  const ask = batch<number, number>({
    ask: async (all) => {
      sizes.push(all.length);
      return all.map((n) => n * n);
    },
    askEachAlone: () => false,
    maxSize: 4,
    maxUnderWay: 8,
  });
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  expect(await Promise.all(numbers.map(ask))).toEqual(numbers.map((n) => n * n));
  expect(sizes).toEqual([4, 4, 2]);
});

test('what comes while one is under way waits for it, and goes out together', async () => {
  const sizes: number[] = [];
  const release: (() => void)[] = [];
  const ask = batch<number, number>({
    ask: async (all) => {
      sizes.push(all.length);
      await new Promise<void>((resolve) => release.push(resolve));
      return all;
    },
    askEachAlone: () => false,
    maxSize: 100,
    maxUnderWay: 1,
  });
  const first = ask(0);
  await expect.poll(() => release.length).toBe(1);
  const later = Promise.all([1, 2, 3].map(ask));
  release[0]?.();
  expect(await first).toBe(0);
  await expect.poll(() => release.length).toBe(2);
  release[1]?.();
  expect(await later).toEqual([1, 2, 3]);
  expect(sizes).toEqual([1, 3]);
});

test('a failure of one question fails that one alone when it can be told apart, and all when not', async () => {
  for (const apart of [true, false]) {
    const ask = batch<string, string>({
      ask: async (all) => {
        if (all.includes('bad')) throw new Error('bad');
        return all;
      },
      askEachAlone: () => apart,
      maxSize: 10,
      maxUnderWay: 1,
    });
    const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map(ask));
    expect(outcomes.map((one) => one.status)).toEqual(
      apart ? ['fulfilled', 'rejected', 'fulfilled'] : ['rejected', 'rejected', 'rejected'],
    );
  }
});
