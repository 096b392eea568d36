import { expect, test } from 'vitest';
import { allowedActions, assertMay, type SessionAct, type SessionState, shownState } from './session.ts';

const MAY = new Set(['unblock:perform'] as const);
const NOW = new Date('2026-11-20T09:00:00Z');
const session = (state: SessionState, origin: 'operator' | 'device' = 'operator', seconds = 60) => ({
  origin,
  state,
  expiresAt: new Date(NOW.getTime() + seconds * 1000),
});

/** What each act meets in each state: `yes`, or the code of its refusal without `unblock-session-`. */
const TABLE: Record<SessionAct, Record<SessionState, string>> = {
  approve: {
    requested: 'yes',
    open: 'yes',
    answered: 'already-answered',
    worked: 'closed',
    failed: 'closed',
    refused: 'closed',
  },
  answer: {
    requested: 'not-approved',
    open: 'yes',
    answered: 'already-answered',
    worked: 'closed',
    failed: 'closed',
    refused: 'closed',
  },
  refuse: {
    requested: 'yes',
    open: 'yes',
    answered: 'already-answered',
    worked: 'closed',
    failed: 'closed',
    refused: 'closed',
  },
  worked: {
    requested: 'not-approved',
    open: 'not-answered',
    answered: 'yes',
    worked: 'closed',
    failed: 'closed',
    refused: 'closed',
  },
  failed: {
    requested: 'not-approved',
    open: 'not-answered',
    answered: 'yes',
    worked: 'closed',
    failed: 'closed',
    refused: 'closed',
  },
};
const STATES = Object.keys(TABLE.answer) as SessionState[];

function verdict(act: SessionAct, of: ReturnType<typeof session>): string {
  try {
    assertMay(act, of, NOW);
    return 'yes';
  } catch (error) {
    return (error as { code: string }).code.replace('unblock-session-', '');
  }
}

test.each(Object.keys(TABLE) as SessionAct[])('%s, of a device session, in every state', (act) => {
  for (const state of STATES) expect(verdict(act, session(state, 'device')), state).toBe(TABLE[act][state]);
});

test("an operator's own session is answered and not approved", () => {
  expect(verdict('approve', session('open'))).toBe('not-approvable');
  expect(verdict('answer', session('open'))).toBe('yes');
});

test('time ends what waits for somebody, and nothing else', () => {
  for (const state of STATES) {
    const waits = state === 'requested' || state === 'open';
    expect(shownState(session(state, 'device', 0), NOW), state).toBe(waits ? 'expired' : state);
  }
  expect(verdict('answer', session('open', 'operator', 0))).toBe('expired');
  expect(verdict('approve', session('requested', 'device', 0))).toBe('expired');
});

test('an operator is offered what would be allowed, and told why not', () => {
  const offered = (of: ReturnType<typeof session>) =>
    allowedActions(of, NOW, MAY).flatMap((one) => (one.allowed ? [one.action] : []));
  expect(offered(session('open'))).toEqual(['answer', 'refuse']);
  expect(offered(session('requested', 'device'))).toEqual(['approve', 'refuse']);
  expect(offered(session('answered'))).toEqual(['report-outcome']);
  expect(offered(session('open', 'operator', 0))).toEqual([]);
  for (const one of allowedActions(session('worked'), NOW, MAY)) expect(one.disabledReason).toMatch(/closed/);
});

test('who may not perform an unblock is offered nothing, whatever the state', () => {
  for (const state of ['requested', 'open', 'answered'] as const) {
    for (const one of allowedActions(session(state, 'device'), NOW, new Set(['unblock:read']))) {
      expect(one).toMatchObject({
        allowed: false,
        disabledReason: 'Your role lacks the permission unblock:perform.',
      });
    }
  }
});
