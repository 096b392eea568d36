import type { UnblockResponse, UnblockSession, VerificationMethod } from '../app/contract.ts';

/** How a caller can be verified, as the API knows it. */
export const METHODS: readonly VerificationMethod[] = ['in-person', 'video', 'call-back', 'manager'];

/** The steps in their order. Nothing is sent before the fourth is done. */
export const STEPS = ['verify', 'card', 'challenge', 'reason', 'response', 'outcome'] as const;
export type Step = (typeof STEPS)[number];

export interface WizardState {
  readonly step: Step | 'closed';
  readonly method: VerificationMethod | null;
  readonly evidence: string;
  readonly lines: readonly string[];
  readonly reason: string;
  readonly ticket: string;
  /** once it is open, verification and reason are on record and can't be changed */
  readonly session: UnblockSession | null;
  /** null before it came, and again after it was masked: the page does not keep what it no longer shows */
  readonly response: UnblockResponse | null;
  /** the step was left with something missing: errors are shown from then on */
  readonly attempted: boolean;
}

export type WizardEvent =
  | { type: 'typed'; values: Partial<Pick<WizardState, 'method' | 'evidence' | 'lines' | 'reason' | 'ticket'>> }
  | { type: 'next'; complete: boolean }
  | { type: 'back' }
  | { type: 'opened'; session: UnblockSession }
  | { type: 'answered'; response: UnblockResponse }
  | { type: 'challenge-refused' }
  | { type: 'session-over' }
  | { type: 'masked' }
  | { type: 'closed'; session: UnblockSession }
  | { type: 'start-again' };

/** @param session one that was open already (the page was loaded again): the wizard goes on where it can */
export function initialWizard(lineCount: number, session: UnblockSession | null): WizardState {
  return {
    step: session === null ? 'verify' : stepOfSession(session),
    method: METHODS.find((method) => method === session?.verification?.method) ?? null,
    evidence: session?.verification?.evidence ?? '',
    lines: Array.from({ length: lineCount }, () => ''),
    reason: session?.reason ?? '',
    ticket: session?.ticket ?? '',
    session,
    response: null,
    attempted: false,
  };
}

function stepOfSession(session: UnblockSession): WizardState['step'] {
  if (session.state === 'open') return 'challenge';
  // the response was shown once and is not shown again, but whether it worked can still be said
  return session.state === 'answered' ? 'outcome' : 'closed';
}

const neighbour = (step: WizardState['step'], by: 1 | -1): WizardState['step'] =>
  step === 'closed' ? step : (STEPS[STEPS.indexOf(step) + by] ?? step);

export function wizardReducer(state: WizardState, event: WizardEvent): WizardState {
  switch (event.type) {
    case 'typed':
      return { ...state, ...event.values };
    case 'next':
      return event.complete
        ? { ...state, step: neighbour(state.step, 1), attempted: false }
        : { ...state, attempted: true };
    case 'back':
      return { ...state, step: neighbour(state.step, -1), attempted: false };
    case 'opened':
      return { ...state, session: event.session };
    case 'answered':
      return { ...state, step: 'response', response: event.response, attempted: false };
    case 'challenge-refused':
      return { ...state, step: 'challenge', attempted: true };
    case 'session-over':
      // nothing was answered in it: the next attempt opens another, with all that was typed
      return { ...state, session: null };
    case 'masked':
      return { ...state, response: null };
    case 'closed':
      return { ...state, step: 'closed', session: event.session, response: null };
    case 'start-again':
      // who called, and why, is still true; the challenge is not: the card makes a new one
      return {
        ...state,
        step: 'verify',
        lines: state.lines.map(() => ''),
        session: null,
        response: null,
        attempted: false,
      };
  }
}
