import { describe, expect, it } from 'vitest';
import { Answers } from './answers.ts';
import { KnownStatuses } from './known-statuses.ts';

const answer = (text: string) => ({ response: Buffer.from(text), producedAt: new Date(0), nextUpdate: new Date(10) });

describe('kept answers', () => {
  it('are given until their time, to who asks the same', () => {
    const answers = new Answers(10);
    answers.keep('a', '01', answer('one'), 100, answers.mark);
    expect(answers.get('a', 99)?.response.toString()).toBe('one');
    expect(answers.get('a', 100)).toBeNull();
    expect(answers.get('b', 0)).toBeNull();
  });

  it('of a certificate are all forgotten with it, and of no other', () => {
    const answers = new Answers(10);
    for (const request of ['by SHA-1', 'by SHA-256']) answers.keep(request, '01', answer(request), 100, answers.mark);
    answers.keep('other', '02', answer('other'), 100, answers.mark);
    answers.forget(['01', '03']);
    expect([answers.get('by SHA-1', 0), answers.get('by SHA-256', 0), answers.size]).toEqual([null, null, 1]);
    answers.forgetAll();
    expect(answers.size).toBe(0);
  });

  it('that were under way while something was forgotten are not kept', () => {
    const answers = new Answers(10);
    const { mark } = answers;
    answers.forget(['01']);
    answers.keep('a', '01', answer('from before'), 100, mark);
    expect(answers.get('a', 0)).toBeNull();
  });

  it('are never more than so many: the oldest go', () => {
    const answers = new Answers(3);
    for (const n of [1, 2, 3, 4, 5, 5]) answers.keep(`request ${n}`, `0${n}`, answer('x'), 100, answers.mark);
    expect(answers.size).toBe(3);
    expect([1, 2, 3, 4, 5].filter((n) => answers.get(`request ${n}`, 0) !== null)).toEqual([3, 4, 5]);
  });
});

describe('remembered statuses', () => {
  const good = new Map([['01', { status: 'good' } as const]]);

  it('are given when all that is asked for is known, until they are forgotten', () => {
    const known = new KnownStatuses(10);
    known.remember(good, known.mark);
    expect(known.all(['01'])).toEqual(good);
    expect(known.all(['01', '02'])).toBeNull();
    known.forget(['01']);
    expect(known.all(['01'])).toBeNull();
    known.remember(good, known.mark);
    known.forget(null);
    expect(known.all(['01'])).toBeNull();
  });

  it('found while something was forgotten are not remembered, and they are never more than so many', () => {
    const known = new KnownStatuses(2);
    const { mark } = known;
    known.forget(['09']);
    known.remember(good, mark);
    expect(known.all(['01'])).toBeNull();
    for (const serial of ['01', '02', '03']) known.remember(new Map([[serial, { status: 'good' }]]), known.mark);
    expect([known.all(['01']), known.all(['02', '03'])?.size]).toEqual([null, 2]);
  });
});
