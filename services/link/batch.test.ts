import { describe, expect, it } from 'vitest';
import { Batch } from './batch.ts';

function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a batch', () => {
  it('gives each question its own answer', async () => {
    const batch = new Batch<number, number>(async (all) => all.map((n) => n * n), { maxSize: 7, maxUnderWay: 2 });
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    expect(await Promise.all(numbers.map((n) => batch.ask(n)))).toEqual(numbers.map((n) => n * n));
  });

  it('asks together what came together, and what came while others were under way, within its limits', async () => {
    const sizes: number[] = [];
    const { opened, open } = gate();
    const batch = new Batch<number, number>(
      async (all) => {
        sizes.push(all.length);
        await opened;
        return all;
      },
      { maxSize: 4, maxUnderWay: 1 },
    );
    const first = [batch.ask(1), batch.ask(2)];
    await expect.poll(() => sizes).toEqual([2]);
    const later = Array.from({ length: 6 }, (_, n) => batch.ask(n));
    open();
    await Promise.all([...first, ...later]);
    expect(sizes).toEqual([2, 4, 2]);
  });

  it('that fails fails all its questions, and no other batch', async () => {
    const batch = new Batch<string, string>(
      async (all) => {
        if (all.includes('bad')) throw new Error('refused');
        return all;
      },
      { maxSize: 2, maxUnderWay: 1 },
    );
    const outcomes = await Promise.allSettled(['a', 'bad', 'b', 'c'].map((one) => batch.ask(one)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  });

  it('that fails for one question fails that one alone, where such a failure can be told apart', async () => {
    const asked: (readonly string[])[] = [];
    const batch = new Batch<string, string>(
      async (all) => {
        asked.push(all);
        if (all.includes('bad')) throw new Error('refused');
        return all;
      },
      { maxSize: 10, maxUnderWay: 1, askEachAlone: (error) => error instanceof Error && error.message === 'refused' },
    );
    const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map((one) => batch.ask(one)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(asked).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
  });

  it('answered in part fails, and gives nobody the answer of another', async () => {
    const batch = new Batch<number, number>(async (all) => all.slice(1), { maxSize: 10, maxUnderWay: 1 });
    const outcomes = await Promise.allSettled([batch.ask(1), batch.ask(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
