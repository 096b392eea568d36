import { DomainError } from '@cardwright/protocol';
import { offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';
import { VERIFICATION_METHODS } from '../kernel/verification.ts';

/** States and rules of an unblock session: one session, one challenge answered once. */
export type SessionState = 'requested' | 'open' | 'answered' | 'worked' | 'failed' | 'refused';
export type SessionAct = 'approve' | 'answer' | 'refuse' | 'worked' | 'failed';
export type ShownSessionState = SessionState | 'expired';

export const SESSION_SECONDS = 600;
export const POLL_AFTER_SECONDS = 2;

export interface Verification {
  readonly method: RecordedMethod;
  readonly evidence: string;
}
/** What may be on record: with another card of theirs a person verifies themself, and no operator can say so. */
export const RECORDED_METHODS = [...VERIFICATION_METHODS, 'another-card'] as const;
export type RecordedMethod = (typeof RECORDED_METHODS)[number];

interface Common {
  readonly id: string;
  readonly cardId: string;
  readonly state: SessionState;
  readonly verification: Verification | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly openedBy: { readonly id: string; readonly name: string } | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly answeredAt: Date | null;
}
/** The operator types what the caller reads out, and reads the response back. */
export type OperatorSession = Common & { readonly origin: 'operator' };
/** The device sent the challenge itself; the operator approves, and the response goes to the device alone. */
export type DeviceSession = Common & {
  readonly origin: 'device';
  readonly confirmationCode: string;
  readonly challenge: string;
};
export type UnblockSession = OperatorSession | DeviceSession;

const TRANSITIONS: Readonly<Record<SessionState, Partial<Readonly<Record<SessionAct, SessionState>>>>> = {
  requested: { approve: 'open', refuse: 'refused' },
  // An approval that was recorded before the vault could be asked may be given again: it asks the vault again.
  open: { approve: 'open', answer: 'answered', refuse: 'refused' },
  answered: { worked: 'worked', failed: 'failed' },
  worked: {},
  failed: {},
  refused: {},
};

interface Judged {
  readonly origin: 'operator' | 'device';
  readonly state: SessionState;
  readonly expiresAt: Date;
}

/** Time ends a session that waits for somebody. One that was answered waits for its outcome as long as it takes. */
export function shownState(session: Judged, now: Date): ShownSessionState {
  const waits = session.state === 'requested' || session.state === 'open';
  return waits && session.expiresAt <= now ? 'expired' : session.state;
}

/** @throws DomainError conflict: `unblock-session-expired`, `-already-answered`, `-closed`, `-not-approvable`, … */
export function assertMay(act: SessionAct, session: Judged, now: Date): void {
  const refusal = refusalOf(act, session, now);
  if (refusal !== null) throw new DomainError('conflict', refusal.code, refusal.detail);
}

const OPERATOR_ACTS = ['answer', 'approve', 'refuse', 'report-outcome'] as const;

/** What an operator may do with the session now: the console shows just these. */
export function allowedActions(session: Judged, now: Date, permissions: ReadonlySet<Permission>) {
  return OPERATOR_ACTS.filter((action) => action !== (session.origin === 'operator' ? 'approve' : 'answer')).map(
    (action) => {
      const refusal = refusalOf(action === 'report-outcome' ? 'worked' : action, session, now);
      return offer(action, 'unblock:perform', permissions, refusal?.detail ?? null);
    },
  );
}

interface Refusal {
  readonly code: string;
  readonly detail: string;
}

function refusalOf(act: SessionAct, session: Judged, now: Date): Refusal | null {
  const state = shownState(session, now);
  if (state === 'expired') {
    return { code: 'unblock-session-expired', detail: 'The session has expired; start again with a fresh challenge.' };
  }
  if (act === 'approve' && session.origin === 'operator') {
    return { code: 'unblock-session-not-approvable', detail: 'An operator opened this session; answer its challenge.' };
  }
  if (TRANSITIONS[state][act] !== undefined) return null;
  if (state === 'answered') {
    return {
      code: 'unblock-session-already-answered',
      detail: 'This session has given its one response; start again with a fresh challenge.',
    };
  }
  if (state === 'worked' || state === 'failed' || state === 'refused') {
    return { code: 'unblock-session-closed', detail: `The session is closed (${state}); start a new one.` };
  }
  return state === 'requested'
    ? { code: 'unblock-session-not-approved', detail: 'The device asked; an operator must approve first.' }
    : { code: 'unblock-session-not-answered', detail: 'No response has been given yet, so nothing can have worked.' };
}

export function sessionNotFound(): DomainError {
  return new DomainError('not-found', 'not-found', 'There is no such unblock session.');
}
