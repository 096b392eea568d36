import { useNavigate } from '@tanstack/react-router';
import type { Dispatch } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import type { Card, UnblockResponse, UnblockSession } from '../app/contract.ts';
import { challengeIsOf } from './challenge-card.ts';
import type { ChallengeFormat } from './challenge-input.ts';
import type { WizardEvent, WizardState } from './wizard-state.ts';

const optionalTicket = (ticket: string) => (ticket.trim() === '' ? {} : { ticket: ticket.trim() });

/** What the wizard asks of the server: open a session, have the challenge answered, record the outcome. */
export function useUnblockActs(card: Card, dispatch: Dispatch<WizardEvent>) {
  const navigate = useNavigate();
  const cardId = card.id;
  const touches = [['cards'], ['unblock-sessions', { cardId }], ['events']];
  const open = useAct<WizardState, UnblockSession>({
    perform: ({ method, evidence, reason, ticket }, headers) => {
      if (method === null) throw new Error('a session needs a verification');
      const body = {
        verification: { method, evidence: evidence.trim() },
        reason: reason.trim(),
        ...optionalTicket(ticket),
      };
      return answerOf(
        api.POST('/api/v1/cards/{cardId}/unblock-sessions', { params: { path: { cardId } }, body, headers }),
      );
    },
    touches,
    onDone: (session) => {
      dispatch({ type: 'opened', session });
      // the address knows the session, so that loading the page again does not open a second one
      void navigate({
        to: '/cards/$cardId/unblock',
        params: { cardId },
        search: { session: session.id },
        replace: true,
      });
    },
  });
  const respond = useAct<{ unblockSessionId: string; challenge: string }, UnblockResponse>({
    perform: ({ unblockSessionId, challenge }, headers) =>
      answerOf(
        api.POST('/api/v1/unblock-sessions/{unblockSessionId}/responses', {
          params: { path: { unblockSessionId } },
          body: { challenge },
          headers,
        }),
      ),
    touches,
    onDone: (response) => dispatch({ type: 'answered', response }),
    onRefused: (error) => {
      if (error.code.startsWith('challenge-')) dispatch({ type: 'challenge-refused' });
      else if (error.code.startsWith('unblock-session-') || error.code === 'answer-shown-once')
        dispatch({ type: 'session-over' });
    },
  });
  const close = useAct<{ unblockSessionId: string; outcome: 'worked' | 'failed'; note: string }, UnblockSession>({
    perform: ({ unblockSessionId, outcome, note }, headers) =>
      answerOf(
        api.POST('/api/v1/unblock-sessions/{unblockSessionId}/outcome', {
          params: { path: { unblockSessionId } },
          body: { outcome, ...(note.trim() === '' ? {} : { note: note.trim() }) },
          headers,
        }),
      ),
    touches,
    onDone: (session) => dispatch({ type: 'closed', session }),
  });

  const getResponse = async (state: WizardState) => {
    try {
      const session = state.session ?? (await open.mutateAsync({ ...state, lines: [], attempted: false }));
      await respond.mutateAsync({ unblockSessionId: session.id, challenge: state.lines.join(' ') });
    } catch {
      // shown by whichever of the two failed
    }
  };
  const belongs = (format: ChallengeFormat, lines: readonly string[]) =>
    challengeIsOf(card.serial, format, lines.join('\n'));
  return { open, respond, close, getResponse, belongs };
}
