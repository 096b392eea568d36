import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withPatience } from './patience.tty.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const notes: string[] = [];
const note = (text: string) => notes.push(text);
beforeEach(() => {
  notes.length = 0;
});

describe('work that may be slow', () => {
  it('is told of after a second, and again each quarter of a minute, until it is done', async () => {
    let done: (value: number) => void = () => undefined;
    const work = new Promise<number>((resolve) => {
      done = resolve;
    });
    const watched = withPatience('Making the key', work, { watched: true, note });
    await vi.advanceTimersByTimeAsync(999);
    expect(notes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(notes).toEqual(['Making the key: a TPM may take a minute …']);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(notes.slice(1)).toEqual([
      'Making the key: still at it after 15 seconds …',
      'Making the key: still at it after 30 seconds …',
    ]);
    done(7);
    expect(await watched).toBe(7);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(notes).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not told of where it is quick, fails, or nobody looks on', async () => {
    expect(await withPatience('x', Promise.resolve(1), { watched: true, note })).toBe(1);
    await expect(withPatience('x', Promise.reject(new Error('no')), { watched: true, note })).rejects.toThrow('no');
    const slow = withPatience('x', new Promise((resolve) => setTimeout(resolve, 5_000, 2)), { watched: false, note });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await slow).toBe(2);
    expect(notes).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
