import { describe, expect, it } from 'vitest';
import type { Permission } from '../kernel/permission.ts';
import {
  allowedChangeActions,
  assertAnswerable,
  assertHelps,
  assertVersion,
  CHANGE_CAUSES,
  CHANGE_STATES,
  type ChangeAct,
  changeAfter,
  isOpen,
  kindOfChange,
  MAX_ANSWERS,
} from './key-change.ts';

const ACTS = ['offer', 'confirm', 'cancel', 'fail', 'give-up', 'end'] as const satisfies readonly ChangeAct[];
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a change of an administrator key', () => {
  it('moves so and not otherwise', () => {
    const moves = CHANGE_STATES.flatMap((state) =>
      ACTS.map((act) => {
        try {
          return `${state} ${act} ${changeAfter(state, act)}`;
        } catch {
          return '';
        }
      }),
    );
    expect(moves.filter((move) => move !== '')).toEqual([
      'requested offer offered',
      'requested cancel cancelled',
      'requested fail failed',
      'requested end cancelled',
      'offered confirm confirmed',
      'offered fail failed',
      'offered give-up failed',
      'offered end cancelled',
      'failed confirm confirmed',
    ]);
    expect(CHANGE_STATES.filter((state) => isOpen({ state }))).toEqual(['requested', 'offered']);
  });

  it('is not cancelled once the card may have the new key, and says why not', () => {
    expect(codeOf(() => changeAfter('offered', 'cancel'))).toBe('key-change-offered');
    expect(codeOf(() => changeAfter('requested', 'confirm'))).toBe('key-change-not-offered');
    for (const state of ['confirmed', 'cancelled', 'failed'] as const) {
      expect(codeOf(() => changeAfter(state, 'cancel'))).toBe('key-change-closed');
    }
    const may = new Set<Permission>(['keys:change']);
    expect(CHANGE_STATES.filter((state) => allowedChangeActions({ state }, may)[0]?.allowed)).toEqual(['requested']);
    const givenUp = CHANGE_STATES.filter((state) => allowedChangeActions({ state }, may)[1]?.allowed);
    expect(givenUp).toEqual(['offered']);
    expect(allowedChangeActions({ state: 'requested' }, new Set())[0]?.allowed).toBe(false);
  });

  it('does not help a TPM card whose key may be known, and every other card', () => {
    for (const cause of CHANGE_CAUSES) {
      const refusal = cause === 'suspicion' ? 'key-change-does-not-help' : 'nothing';
      expect(codeOf(() => assertHelps('tpm', cause))).toBe(refusal);
      expect(codeOf(() => assertHelps('minidriver', cause))).toBe('nothing');
    }
    expect(kindOfChange('tpm', false)).toBe('rotation');
    expect(kindOfChange('minidriver', true)).toBe('take-over');
    expect(kindOfChange('minidriver', false)).toBe('replacement');
  });

  it('answers challenges only while the card may have either key, and few', () => {
    const answer = (state: (typeof CHANGE_STATES)[number], answers = 0) =>
      codeOf(() => assertAnswerable({ state, answers }));
    expect(CHANGE_STATES.map((state) => answer(state))).toEqual([
      'key-change-not-offered',
      'nothing',
      'key-change-closed',
      'key-change-closed',
      'key-change-closed',
    ]);
    expect(answer('offered', MAX_ANSWERS - 1)).toBe('nothing');
    expect(answer('offered', MAX_ANSWERS)).toBe('key-change-answers-used-up');
  });

  it('is about two versions and no other', () => {
    const change = { fromVersion: 1, toVersion: 3 };
    const versions = [1, 2, 3, 4].map((version) => codeOf(() => assertVersion(change, version)));
    expect(versions).toEqual(['nothing', 'key-version-mismatch', 'nothing', 'key-version-mismatch']);
    expect(codeOf(() => assertVersion({ fromVersion: 1, toVersion: null }, 2))).toBe('key-version-mismatch');
  });
});
