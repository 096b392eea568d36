import { moveCard, stateAfter } from '../cards/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RevocationService } from '../revocation/index.ts';
import { aboutHeld, type DeviceIntent, type Held, type StepDependencies } from './device-steps.ts';

export interface ReplaceCardDependencies extends StepDependencies {
  readonly revocations: RevocationService;
}

/**
 * In the transaction that activates the new card of a reissue the old one goes out of use, unless it did before. Gives
 * the certificates whose revocation must be confirmed once the transaction is through.
 */
export async function replaceCard(
  deps: ReplaceCardDependencies,
  tx: Tx,
  intent: DeviceIntent,
  held: Held,
): Promise<readonly string[]> {
  const { replacesCardId } = held.enrolment;
  if (replacesCardId === null) return [];
  const old = await deps.cards.lock(tx, replacesCardId);
  if (old === null) throw new Error(`enrolment ${held.enrolment.id} replaces a card that does not exist`);
  const comment = `card ${held.card.serial} replaces it`;
  const why = { ...intent, reason: comment };
  if (stateAfter(old.state, 'retire') !== null) await moveCard(deps, tx, why, { cardId: old.id, act: 'retire' });
  await deps.audit.record(tx, why, {
    action: 'card.reissued',
    object: { kind: 'card', id: old.id },
    about: { ...aboutHeld(held), cardId: old.id },
    after: { replacedByCardId: held.card.id, replacedBySerial: held.card.serial },
  });
  return deps.revocations.proposeForCard(tx, why, old.id, { reason: 'superseded', comment });
}
