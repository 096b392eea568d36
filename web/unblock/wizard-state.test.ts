import { describe, expect, it } from 'vitest';
import type { UnblockResponse, UnblockSession } from '../app/contract.ts';
import { initialWizard, type WizardEvent, type WizardState, wizardReducer } from './wizard-state.ts';

const session = (state: UnblockSession['state']) =>
  ({
    id: 's',
    state,
    verification: { method: 'video', evidence: 'ID card' },
    reason: 'forgot',
    ticket: null,
  }) as UnblockSession;
const response = { response: 'R', lines: ['R'], expiresAt: '2026-01-01T00:15:00Z' } as UnblockResponse;
const after = (events: WizardEvent[], from: WizardState = initialWizard(3, null)) => events.reduce(wizardReducer, from);

describe('the unblock wizard', () => {
  it('stays at a step that is not complete, and says so', () => {
    expect(after([{ type: 'next', complete: false }])).toMatchObject({ step: 'verify', attempted: true });
    expect(after([{ type: 'next', complete: true }])).toMatchObject({ step: 'card', attempted: false });
  });

  it('goes back to the challenge when the server refuses it, with everything typed still there', () => {
    const refused = after([
      { type: 'typed', values: { lines: ['A', 'B', 'C'], reason: 'forgot' } },
      { type: 'opened', session: session('open') },
      { type: 'challenge-refused' },
    ]);
    expect(refused).toMatchObject({ step: 'challenge', lines: ['A', 'B', 'C'], reason: 'forgot', attempted: true });
    expect(refused.session?.id).toBe('s');
  });

  it('forgets the response when it is masked and when the session is closed', () => {
    const answered = after([{ type: 'answered', response }]);
    expect(answered).toMatchObject({ step: 'response', response });
    expect(after([{ type: 'masked' }], answered).response).toBeNull();
    expect(after([{ type: 'closed', session: session('worked') }], answered)).toMatchObject({
      step: 'closed',
      response: null,
    });
  });

  it.each([
    ['open', 'challenge'],
    ['answered', 'outcome'],
    ['worked', 'closed'],
    ['failed', 'closed'],
    ['expired', 'closed'],
    ['refused', 'closed'],
  ] as const)('loaded again with a session that is %s goes on at %s', (state, step) => {
    expect(initialWizard(3, session(state))).toMatchObject({ step, reason: 'forgot', evidence: 'ID card' });
  });

  it('starts again without the old challenge, which is spent, but with what is still true', () => {
    const again = after([
      { type: 'typed', values: { lines: ['A', 'B', 'C'], evidence: 'badge 7' } },
      { type: 'opened', session: session('open') },
      { type: 'start-again' },
    ]);
    expect(again).toMatchObject({ step: 'verify', lines: ['', '', ''], evidence: 'badge 7', session: null });
  });

  it('keeps all that was typed when the session is over before its answer', () => {
    const over = after([
      { type: 'typed', values: { lines: ['A', 'B', 'C'], reason: 'forgot' } },
      { type: 'opened', session: session('open') },
      { type: 'session-over' },
    ]);
    expect(over).toMatchObject({ session: null, lines: ['A', 'B', 'C'], reason: 'forgot' });
  });

  it('does not walk over its ends', () => {
    expect(after([{ type: 'back' }]).step).toBe('verify');
    expect(after([{ type: 'next', complete: true }], initialWizard(1, session('worked'))).step).toBe('closed');
  });
});
