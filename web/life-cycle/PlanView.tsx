import type { ReactNode } from 'react';
import type { LifeCyclePlan } from '../app/contract.ts';
import { reasonText } from '../certificates/revocation-reasons.ts';
import { en as t } from '../texts/en.ts';
import './life-cycle.css';

const texts = t.lifeCycle;
const stateText = (state: string) => t.state[state as keyof typeof t.state] ?? state;

/** The exact set of things that an act does, and what it does not do and why. */
export function PlanView({ plan }: { plan: LifeCyclePlan }) {
  const serials = new Map([...plan.cards, ...plan.notDone].map(({ cardId, serial }) => [cardId, serial]));
  const cardOf = (cardId: string | null) => (cardId === null ? null : (serials.get(cardId) ?? null));
  const onCard = (what: string, cardId: string | null) => [what, cardOf(cardId)].filter(Boolean).join(' · ');
  const parts: readonly (readonly [title: string, lines: readonly ReactNode[]])[] = [
    [
      texts.cards(plan.cards.length),
      plan.cards.map(({ serial, from, to }) => `${serial}: ${texts.fromTo(stateText(from), stateText(to))}`),
    ],
    [
      texts.certificates(plan.certificates.length),
      plan.certificates.map((one) =>
        onCard(`${one.serialNumber ?? t.certificates.noSerial} · ${reasonText(one.reason)}`, one.cardId),
      ),
    ],
    [texts.tasksQueued(plan.tasksQueued.length), plan.tasksQueued.map(({ cardId }) => cardOf(cardId) ?? cardId)],
    [
      texts.enrolmentsMade(plan.enrolmentsMade.length),
      plan.enrolmentsMade.map((one) => onCard(texts.ofProfile(one.cardProfile), one.replacesCardId)),
    ],
    [
      texts.sessionsEnded(plan.sessionsEnded.length),
      plan.sessionsEnded.map((one) => onCard(stateText(one.state), one.cardId)),
    ],
    [
      texts.keyChangesCancelled(plan.keyChangesCancelled.length),
      plan.keyChangesCancelled.map((one) => cardOf(one.cardId) ?? one.cardId),
    ],
    [
      texts.tasksCancelled(plan.tasksCancelled.length),
      plan.tasksCancelled.map((one) =>
        onCard(t.tasks.kinds[one.kind as keyof typeof t.tasks.kinds] ?? one.kind, one.cardId),
      ),
    ],
    [
      texts.enrolmentsCancelled(plan.enrolmentsCancelled.length),
      plan.enrolmentsCancelled.map((one) => onCard(one.id, one.cardId)),
    ],
    [texts.notDone, plan.notDone.map(({ serial, why }) => `${serial}: ${why}`)],
  ];
  const told = parts.filter(([, lines]) => lines.length > 0);
  if (told.length === 0) return <p className="empty">{texts.nothing}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section className="plan" aria-label={texts.plan} tabIndex={0}>
      {told.map(([title, lines]) => (
        <div key={title}>
          <h3>{title}</h3>
          <ul>
            {lines.map((line, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a plan is shown as a whole, in its order
              <li key={at}>{line}</li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
