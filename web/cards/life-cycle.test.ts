import { expect, it } from 'vitest';
import { lifeCycle } from './life-cycle.ts';

const shown = (state: string) => lifeCycle(state).map((stage) => `${stage.state}:${stage.phase}`);

it('shows the path with the state of the card on it', () => {
  expect(shown('active')).toEqual([
    'requested:past',
    'created:past',
    'active:current',
    'retired:future',
    'destroyed:future',
  ]);
});

it.each([
  ['blocked', 2],
  ['suspended', 2],
  ['lost', 3],
  ['compromised', 3],
])('puts %s where it stops the path', (state, index) => {
  expect(shown(state)[index]).toBe(`${state}:current`);
  expect(shown(state)).toHaveLength(5);
});

it('shows a state that it does not know alone', () => {
  expect(lifeCycle('on-hold')).toEqual([{ state: 'on-hold', phase: 'current' }]);
});
