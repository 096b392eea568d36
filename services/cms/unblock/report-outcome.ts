import { type CardRecords, type MoveCardPorts, moveCard } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { aboutSession, type SessionDependencies } from './open-session.ts';
import { assertMay, sessionNotFound } from './session.ts';

export type OutcomeDependencies = SessionDependencies & MoveCardPorts & { readonly cards: CardRecords };

/**
 * What came of the response. Closes the session; a card that was blocked is active again, and a response kept for a
 * device is forgotten. The same outcome again changes nothing.
 * @throws DomainError `not-found`: also for a device that did not ask; `unblock-session-not-answered`, `-closed`, `-expired` (conflict).
 */
export async function reportOutcome(
  deps: OutcomeDependencies,
  intent: Intent,
  sessionId: string,
  outcome: 'worked' | 'failed',
): Promise<void> {
  const { sessions, unitOfWork, audit, cards, runtime } = deps;
  const found = await sessions.find(sessionId);
  if (found === null) throw sessionNotFound();
  const { actor } = intent;
  const ofDevice = found.session.origin === 'device' && found.card.deviceId === actor.id;
  if (actor.kind === 'device' && !ofDevice) throw sessionNotFound();
  await unitOfWork.run(async (tx) => {
    const session = await sessions.lock(tx, sessionId);
    if (session === null) throw sessionNotFound();
    if (session.state === outcome) return;
    assertMay(outcome, session, runtime.now());
    await sessions.change(tx, sessionId, { state: outcome, closedAt: runtime.now(), dropResponse: true });
    await audit.record(tx, intent, {
      action: 'unblock.outcome-reported',
      object: { kind: 'unblock-session', id: sessionId },
      about: aboutSession(sessionId, found.card),
      before: { state: session.state },
      after: { state: outcome },
    });
    if (outcome !== 'worked') return;
    const card = await cards.lock(tx, found.card.id);
    if (card?.state !== 'active' && card?.state !== 'blocked') return;
    const change = card.pinLimit === null ? {} : { triesLeft: card.pinLimit };
    await moveCard(deps, tx, intent, { cardId: card.id, act: 'unblock', change });
  });
}
