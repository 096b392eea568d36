import type { Intent } from '../kernel/actor.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { type MoveCardPorts, moveCard } from './move-card.ts';
import type { CertificateRevoker } from './ports.ts';

export interface RetireCardPorts extends MoveCardPorts {
  readonly unitOfWork: UnitOfWork;
  readonly revoker: CertificateRevoker;
}

/**
 * In one transaction the card goes out of use and its certificates' revocations are decided; then the CA is told. What
 * the CA can't be told now stays proposed, and the worker tells it.
 *
 * @throws DomainError `not-found`; `card-already-retired`, `card-destroyed` (conflict).
 */
export function createRetireCard(ports: RetireCardPorts) {
  return async function retireCard(cardId: string, reason: string, intent: Intent): Promise<void> {
    const certificateIds = await ports.unitOfWork.run(async (tx) => {
      await moveCard(ports, tx, intent, { cardId, act: 'retire' });
      return ports.revoker.proposeForCard(tx, intent, cardId, { reason: 'cessationOfOperation', comment: reason });
    });
    await ports.revoker.confirmAll(intent, certificateIds);
  };
}
