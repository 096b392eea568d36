import { DomainError, type Secret } from '@cardwright/protocol';
import { answerSignature, CARD_REFS, selfChangeApproval, TPM_CC } from '@cardwright/protocol/tpm';
import { changeNvAuth, isRefusal, PolicySession, RC, verifySignature, withLoaded } from '../../tpm/index.ts';
import type { CardRecord, SelfChangeApproval } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { provePin } from './pin-proof.ts';
import { withPinValue } from './pin-value.ts';
import type { CardPlace } from './place.ts';
import { decodeStored } from './stored.ts';

/**
 * Branch B1: the administrator key approved, once and for all, `the PIN proved and NV_ChangeAuth`. The index's own policy
 * can't hold that (it would have to contain its own Name), so PolicyAuthorize brings it in. The one command that
 * changes anything is the last: before it the old PIN holds, after it the new one.
 */
export async function changePin(
  { tpm, roots }: Hardware,
  place: CardPlace,
  record: CardRecord,
  pins: { readonly old: Secret; readonly new: Secret },
  approval: SelfChangeApproval,
): Promise<void> {
  const expected = approved(place, approval);
  const signature = answerSignature(approval.signature);
  const root = await roots.named(record.parentName);
  const secure = await roots.session(root);
  await withPinValue(pins.new, async (authValue) => {
    // Before the PIN is tried: an approval that doesn't hold shall not cost a try.
    const ticket = await withLoaded(tpm, root, decodeStored(record.administratorKey), async (key) => {
      try {
        return await verifySignature(tpm, key, expected.digest, signature);
      } catch (error) {
        throw isRefusal(error, RC.SIGNATURE) ? notApproved(error) : error;
      }
    });
    await PolicySession.during(tpm, async (session) => {
      await provePin(place, secure, session, pins.old);
      await session.commandCode(TPM_CC.NV_ChangeAuth);
      await session.authorize(expected.approvedPolicy, CARD_REFS.self, record.administratorKeyName, ticket);
      await place.openBranch(session);
      await changeNvAuth(tpm, place.written, session.spending(), secure.hiding(), authValue);
    });
  });
}

function approved(place: CardPlace, { approvedPolicy }: SelfChangeApproval) {
  const expected = selfChangeApproval(place.index.writtenName);
  if (!Buffer.from(expected.approvedPolicy).equals(approvedPolicy)) throw notApproved();
  return expected;
}

function notApproved(cause?: unknown): DomainError {
  const detail = 'The approval to change the PIN is not one for this card.';
  return new DomainError('unprocessable', 'self-change-refused-by-card', detail, { cause });
}
