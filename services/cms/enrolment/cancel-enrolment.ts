import { type MoveCardPorts, moveCard, stateAfter } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { RevocationService } from '../revocation/index.ts';
import { assertMay, type Enrolment, enrolmentNotFound } from './enrolment.ts';
import type { Enrolments } from './ports.ts';

export interface CancelEnrolmentDependencies extends MoveCardPorts {
  readonly enrolments: Enrolments;
  readonly revocations: RevocationService;
  readonly unitOfWork: UnitOfWork;
}

/**
 * Ends an enrolment in the caller's transaction: its unfinished card is retired, its certificates are to be revoked.
 * Gives the certificates whose revocation must be confirmed once the transaction is through.
 */
export async function undoEnrolment(
  deps: Omit<CancelEnrolmentDependencies, 'unitOfWork'>,
  tx: Tx,
  intent: Intent,
  enrolment: Enrolment,
  comment: string,
): Promise<readonly string[]> {
  const { enrolments, revocations, audit } = deps;
  const claimed = enrolment.state === 'claimed' ? enrolment : null;
  await enrolments.setCancelled(tx, enrolment.id);
  await audit.record(
    tx,
    { ...intent, reason: comment },
    {
      action: 'enrolment.cancelled',
      object: { kind: 'enrolment', id: enrolment.id },
      about: {
        personId: enrolment.personId,
        enrolmentId: enrolment.id,
        cardId: claimed?.cardId ?? null,
        deviceId: claimed?.deviceId ?? null,
      },
      before: { state: enrolment.state },
      after: { state: 'cancelled' },
    },
  );
  if (claimed === null) return [];
  // An operator may have retired the unfinished card before, or its device destroyed it: then that is done already.
  const card = await deps.cards.lock(tx, claimed.cardId);
  if (card !== null && stateAfter(card.state, 'retire') !== null) {
    await moveCard(deps, tx, { ...intent, reason: comment }, { cardId: card.id, act: 'retire' });
  }
  return revocations.proposeForCard(tx, intent, claimed.cardId, { reason: 'cessationOfOperation', comment });
}

/** @throws DomainError `not-found`; `enrolment-code-expired`, `enrolment-completed`, `enrolment-cancelled` (conflict). */
export async function cancelEnrolment(
  deps: CancelEnrolmentDependencies,
  intent: Intent,
  enrolmentId: string,
  reason: string,
): Promise<Enrolment> {
  const { enrolments, revocations, runtime, unitOfWork } = deps;
  const certificateIds = await unitOfWork.run(async (tx) => {
    const enrolment = await enrolments.lock(tx, enrolmentId);
    if (enrolment === null) throw enrolmentNotFound();
    assertMay('cancel', enrolment, runtime.now());
    return undoEnrolment(deps, tx, intent, enrolment, reason);
  });
  await revocations.confirmAll(intent, certificateIds);
  const cancelled = await enrolments.find(enrolmentId);
  if (cancelled === null) throw enrolmentNotFound();
  return cancelled;
}
