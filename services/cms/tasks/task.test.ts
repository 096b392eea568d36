import { describe, expect, it } from 'vitest';
import {
  actOfOutcome,
  assertDelivered,
  endsWithCard,
  isExhausted,
  isOpen,
  TASK_KINDS,
  TASK_STATES,
  type TaskAct,
  type TaskKind,
  type TaskWork,
  taskAfter,
} from './task.ts';

const ACTS = ['deliver', 'finish', 'fail', 'retry', 'cancel'] as const satisfies readonly TaskAct[];
const workOf = (kind: TaskKind): TaskWork => (kind === 'message' ? { kind, text: 'Hello' } : { kind });

describe('a task', () => {
  it('moves so and not otherwise', () => {
    const moves = TASK_STATES.flatMap((state) =>
      ACTS.flatMap((act) => {
        try {
          return [`${state} ${act} ${taskAfter(state, act)}`];
        } catch {
          return [];
        }
      }),
    );
    const fromOpen = ['deliver delivered', 'finish done', 'fail failed', 'retry queued', 'cancel cancelled'];
    expect(moves).toEqual(['queued', 'delivered'].flatMap((state) => fromOpen.map((move) => `${state} ${move}`)));
    expect(TASK_STATES.filter((state) => isOpen({ state }))).toEqual(['queued', 'delivered']);
  });

  it('is done when the device says so; a failure is the last word only where trying again is no use', () => {
    const after = (kind: TaskKind, attempts: number) => actOfOutcome({ work: workOf(kind), attempts }, 'failed');
    expect(TASK_KINDS.map((kind) => [kind, after(kind, 1)])).toEqual([
      ['change-administrator-key', 'fail'],
      ['message', 'fail'],
      ['renew', 'retry'],
      ['re-attest', 'retry'],
      ['retire', 'retry'],
      ['destroy', 'retry'],
    ]);
    for (const kind of TASK_KINDS) {
      expect(after(kind, 50)).toBe('fail');
      expect(actOfOutcome({ work: workOf(kind), attempts: 50 }, 'done')).toBe('finish');
      expect(isExhausted({ work: workOf(kind), attempts: 49 })).toBe(false);
      expect(isExhausted({ work: workOf(kind), attempts: 50 })).toBe(true);
    }
  });

  it('ends with its card, but for what is done to a card that is out of use', () => {
    const outlive = TASK_KINDS.filter((kind) => !endsWithCard({ work: workOf(kind) }));
    expect(outlive).toEqual(['retire', 'destroy']);
  });

  it('can’t be reported before anybody was told of it', () => {
    const refused = expect.objectContaining({ kind: 'conflict', code: 'task-not-delivered' });
    expect(() => assertDelivered({ attempts: 0 })).toThrow(refused);
    expect(() => assertDelivered({ attempts: 1 })).not.toThrow();
  });
});
