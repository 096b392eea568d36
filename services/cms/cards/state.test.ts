import { describe, expect, it } from 'vitest';
import { CARD_STATES, type CardAct, type CardState, demandTransition, stateAfter } from './state.ts';

const ACTS = [
  'activate',
  'block',
  'unblock',
  'lose',
  'compromise',
  'retire',
  'destroy',
] as const satisfies readonly CardAct[];

describe("a card's life", () => {
  it('allows these moves and no other', () => {
    const moves = ACTS.flatMap((act) =>
      CARD_STATES.flatMap((state) => {
        const next = stateAfter(state, act);
        return next === null ? [] : [`${state} ${act} ${next}`];
      }),
    );
    expect(moves).toEqual([
      'created activate active',
      'active block blocked',
      'active unblock active',
      'blocked unblock active',
      ...['active', 'blocked', 'suspended'].map((state) => `${state} lose lost`),
      ...['active', 'blocked', 'suspended', 'lost'].map((state) => `${state} compromise compromised`),
      ...['requested', 'created', 'active', 'blocked', 'suspended', 'lost', 'compromised'].map(
        (state) => `${state} retire retired`,
      ),
      ...['requested', 'created', 'active', 'blocked', 'suspended', 'retired', 'lost', 'compromised'].map(
        (state) => `${state} destroy destroyed`,
      ),
    ]);
  });

  it('never leaves destroyed, and leaves retired only to be destroyed', () => {
    for (const act of ACTS) expect(stateAfter('destroyed', act)).toBeNull();
    expect(ACTS.filter((act) => stateAfter('retired', act) !== null)).toEqual(['destroy']);
  });

  it.each<[CardState, CardAct, string]>([
    ['active', 'activate', 'card-already-active'],
    ['retired', 'retire', 'card-already-retired'],
    ['destroyed', 'retire', 'card-destroyed'],
    ['destroyed', 'destroy', 'card-destroyed'],
    ['destroyed', 'unblock', 'card-not-active'],
    ['created', 'unblock', 'card-not-active'],
    ['suspended', 'unblock', 'card-not-active'],
    ['retired', 'unblock', 'card-not-active'],
    ['compromised', 'unblock', 'card-not-active'],
    ['retired', 'activate', 'card-not-active'],
    ['blocked', 'block', 'card-not-active'],
  ])('%s refuses %s as %s', (state, act, code) => {
    expect(() => demandTransition(state, act)).toThrow(
      expect.objectContaining({ kind: 'conflict', code, data: { state } }),
    );
  });
});
