import { useBlocker } from '@tanstack/react-router';
import { useEffect, useReducer, useState } from 'react';
import type { Card, UnblockSession } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { ReasonFields } from '../ui/ReasonFields.tsx';
import { CardFacts } from './CardFacts.tsx';
import { ChallengeFields } from './ChallengeFields.tsx';
import { ClosedStep } from './ClosedStep.tsx';
import { challengeFormatOf, isComplete } from './challenge-input.ts';
import { OutcomeStep } from './OutcomeStep.tsx';
import { ResponseLines } from './ResponseLines.tsx';
import { StepFrame } from './StepFrame.tsx';
import { StepStrip } from './StepStrip.tsx';
import { useSecondsLeft } from './use-seconds-left.ts';
import { useUnblockActs } from './use-unblock-acts.ts';
import { VerificationFields } from './VerificationFields.tsx';
import { initialWizard, wizardReducer } from './wizard-state.ts';
import './wizard.css';

/** The unblock wizard: who calls, which card, its challenge, why; then the response, and whether it worked. */
export function UnblockWizard({ card, session }: { card: Card; session: UnblockSession | null }) {
  const format = challengeFormatOf(card);
  const [state, dispatch] = useReducer(wizardReducer, null, () => initialWizard(format.lengths.length, session));
  const [otherCard, setOtherCard] = useState(false);
  const acts = useUnblockActs(card, dispatch);
  const secondsLeft = useSecondsLeft(state.response?.expiresAt ?? null);
  const forget = acts.respond.reset;
  const typed = (values: Parameters<typeof wizardReducer>[1] & { type: 'typed' }) => dispatch(values);
  const next = (complete: boolean) => dispatch({ type: 'next', complete });
  const back = () => dispatch({ type: 'back' });

  useEffect(() => {
    if (state.response === null || secondsLeft > 0) return;
    dispatch({ type: 'masked' });
    forget();
  }, [state.response, secondsLeft, forget]);
  useBlocker({
    shouldBlockFn: ({ next: to }) => !to.pathname.endsWith('/unblock') && !window.confirm(t.unblock.leave),
    enableBeforeUnload: () => state.response !== null,
    disabled: state.response === null,
  });

  const leaveChallenge = async () => {
    const complete = isComplete(format, state.lines);
    const other = complete && (await acts.belongs(format, state.lines)) === 'another-card';
    setOtherCard(other);
    next(complete && !other);
  };

  return (
    <div className="wizard">
      <StepStrip step={state.step} />
      {state.step === 'verify' ? (
        <StepFrame
          title={t.unblock.verify}
          next={{ label: t.common.next, onNext: () => next(state.method !== null && state.evidence.trim() !== '') }}
        >
          <p className="lead">{t.unblock.verifyLead(card.person.displayName)}</p>
          <VerificationFields
            method={state.method}
            evidence={state.evidence}
            attempted={state.attempted}
            onMethod={(method) => typed({ type: 'typed', values: { method } })}
            onEvidence={(evidence) => typed({ type: 'typed', values: { evidence } })}
          />
        </StepFrame>
      ) : null}
      {state.step === 'card' ? (
        <StepFrame title={t.unblock.card} next={{ label: t.unblock.thisCard, onNext: () => next(true) }} onBack={back}>
          <CardFacts card={card} />
        </StepFrame>
      ) : null}
      {state.step === 'challenge' ? (
        <StepFrame
          title={t.unblock.challengeTitle}
          next={{ label: t.common.next, onNext: () => void leaveChallenge() }}
          onBack={state.session === null ? back : undefined}
        >
          <p className="lead">{t.unblock.challengeLead(format.lengths.length)}</p>
          <ProblemNote error={acts.respond.error} />
          {otherCard ? (
            <div role="alert" className="problem">
              <p className="problem-detail">{t.unblock.otherCard(card.serial)}</p>
            </div>
          ) : null}
          <ChallengeFields
            format={format}
            lines={state.lines}
            attempted={state.attempted}
            onLines={(lines) => {
              setOtherCard(false);
              acts.respond.reset();
              typed({ type: 'typed', values: { lines } });
            }}
          />
        </StepFrame>
      ) : null}
      {state.step === 'reason' ? (
        <StepFrame
          title={t.unblock.reasonTitle}
          next={{
            label: t.unblock.getResponse,
            pending: acts.open.isPending || acts.respond.isPending,
            onNext: () => {
              if (state.reason.trim() === '') next(false);
              else void acts.getResponse(state);
            },
          }}
          onBack={back}
        >
          <ProblemNote error={acts.open.error ?? acts.respond.error} />
          <ReasonFields
            reason={state.reason}
            ticket={state.ticket}
            readOnly={state.session !== null}
            attempted={state.attempted}
            onReason={(reason) => typed({ type: 'typed', values: { reason } })}
            onTicket={(ticket) => typed({ type: 'typed', values: { ticket } })}
          />
        </StepFrame>
      ) : null}
      {state.step === 'response' ? (
        <StepFrame title={t.unblock.responseTitle} next={{ label: t.unblock.read, onNext: () => next(true) }}>
          <p className="lead">{t.unblock.responseLead}</p>
          <ResponseLines lines={state.response?.lines ?? null} secondsLeft={secondsLeft} />
        </StepFrame>
      ) : null}
      {state.step === 'outcome' && state.session !== null ? (
        <OutcomeStep
          unblockSessionId={state.session.id}
          close={acts.close}
          onBack={state.response === null ? undefined : back}
        />
      ) : null}
      {state.step === 'closed' && state.session !== null ? (
        <ClosedStep card={card} session={state.session} onStartAgain={() => dispatch({ type: 'start-again' })} />
      ) : null}
    </div>
  );
}
