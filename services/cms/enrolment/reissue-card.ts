import { DomainError } from '@cardwright/protocol';
import { type CardRecords, cardUnknown, moveCard, stateAfter, whyNoReissue } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RevocationReason } from '../revocation/index.ts';
import { type CancelEnrolmentDependencies, undoEnrolment } from './cancel-enrolment.ts';
import { addEnrolment, type MadeEnrolment } from './create-enrolment.ts';
import { isExpired } from './enrolment.ts';
import type { Vouchers } from './ports.ts';
import { prepareEnrolment, type WantedEnrolment } from './prepare-enrolment.ts';

export const OLD_CARD = ['retire-when-replaced', 'retire-now'] as const;
export const REISSUE_REVOCATIONS = [
  'superseded',
  'keyCompromise',
  'cessationOfOperation',
] as const satisfies readonly RevocationReason[];

export interface ReissueDependencies extends CancelEnrolmentDependencies {
  readonly cards: CardRecords;
  readonly vouchers: Vouchers;
}

export interface ReissueInput extends Pick<WantedEnrolment, 'method' | 'verification' | 'validForSeconds'> {
  readonly cardId: string;
  readonly reason: string;
  /** Whether the person can work with the old card until the new one is active, or it goes out of use at once. */
  readonly oldCard: (typeof OLD_CARD)[number];
  readonly revocationReason?: (typeof REISSUE_REVOCATIONS)[number] | undefined;
}

/**
 * Makes an enrolment for the person and the profile of a card, whose card takes that one's place. To retire the old one
 * at once, its certificates' revocations are decided in the same transaction; the CA is told after it, and what it can't
 * be told now the worker tells it.
 * @throws DomainError `not-found`; `card-not-active`, `reissue-open`, `card-already-replaced` (conflict);
 *   `card-not-reissuable`, `revocation-needs-retire-now` (unprocessable); those of {@link prepareEnrolment}.
 */
export async function reissueCard(
  deps: ReissueDependencies,
  intent: Intent,
  input: ReissueInput,
): Promise<MadeEnrolment> {
  const { cardId, oldCard, revocationReason = 'superseded' } = input;
  if (oldCard === 'retire-when-replaced' && revocationReason !== 'superseded') {
    const detail = 'A card that stays in use until it is replaced is superseded; for another reason it is retired now.';
    const fields = [{ pointer: '/revocationReason', detail }];
    throw new DomainError('unprocessable', 'revocation-needs-retire-now', detail, { fields });
  }
  const prepared = await prepare(deps, intent, input);
  const { made, revoked } = await deps.unitOfWork.run(async (tx) => {
    // Enrolments are taken before cards everywhere.
    const reissue = await dropExpired(deps, tx, intent, cardId);
    const card = await deps.cards.lock(tx, cardId);
    if (card === null) throw cardUnknown();
    // Of two at once the other may have been here before the card could be held.
    const other = reissue ?? (await deps.enrolments.lockReissueOf(tx, cardId));
    const refusal = whyNoReissue({ ...card, reissue: reissueState(other) });
    if (refusal !== null) throw new DomainError(refusal.kind, refusal.code, refusal.why);
    const { personId } = card;
    const made = await addEnrolment(deps, tx, intent, { ...prepared, replacesCardId: cardId });
    await deps.audit.record(tx, intent, {
      action: 'card.reissue-requested',
      object: { kind: 'card', id: cardId },
      about: { personId, deviceId: card.deviceId, cardId, enrolmentId: made.enrolment.id },
      after: { oldCard, revocationReason },
    });
    if (oldCard === 'retire-when-replaced') return { made, revoked: [] };
    if (stateAfter(card.state, 'retire') !== null) await moveCard(deps, tx, intent, { cardId, act: 'retire' });
    const why = { reason: revocationReason, comment: input.reason };
    return { made, revoked: await deps.revocations.proposeForCard(tx, intent, cardId, why) };
  });
  await deps.revocations.confirmAll(intent, revoked);
  return made;
}

/** Whose a card is, and of which profile, is said when it is made, and never changes. */
async function prepare(deps: ReissueDependencies, intent: Intent, input: ReissueInput) {
  const { cardId, method, verification, validForSeconds } = input;
  const card = await deps.unitOfWork.run((tx) => deps.cards.lock(tx, cardId));
  if (card === null) throw cardUnknown();
  const refusal = whyNoReissue({ ...card, reissue: 'none' });
  if (refusal !== null) throw new DomainError(refusal.kind, refusal.code, refusal.why);
  const { personId, profileName: cardProfile } = card;
  if (cardProfile === null) throw new Error(`card ${cardId} of a TPM has no profile`);
  return prepareEnrolment(deps, intent, { personId, cardProfile, method, verification, validForSeconds });
}

/** A code that nobody used in time is of no use to anybody: its enrolment gives way to the next. */
async function dropExpired(deps: ReissueDependencies, tx: Tx, intent: Intent, cardId: string) {
  const reissue = await deps.enrolments.lockReissueOf(tx, cardId);
  if (reissue === null || !isExpired(reissue, deps.runtime.now())) return reissue;
  await undoEnrolment(deps, tx, intent, reissue, 'the card is reissued anew');
  return null;
}

function reissueState(reissue: { readonly state: string } | null): 'none' | 'open' | 'completed' {
  if (reissue === null) return 'none';
  return reissue.state === 'completed' ? 'completed' : 'open';
}
