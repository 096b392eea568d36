import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { cardUnknown } from '../cards/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { taskNotFound } from '../tasks/index.ts';
import { assertAnswerable, assertVersion } from './key-change.ts';
import type { OfferKeyPorts } from './offer-key.ts';
import type { DeviceIntent } from './ports.ts';

/**
 * The answer to a challenge of a card that is to get another key, by the key that it has or by the one it was given: so
 * the agent opens the card for the change, and finds out which of the two it has. With such an answer a PIN can be reset
 * as well, so there are few of them, only while a change is under way, and each is in both records.
 * @throws DomainError `not-found`; `key-change-of-a-tpm-card`, `key-version-mismatch` (unprocessable);
 *   `key-change-not-offered`, `key-change-closed`, `key-change-answers-used-up` (conflict); those of the vault.
 */
export async function answerCard(
  ports: OfferKeyPorts,
  intent: DeviceIntent,
  taskId: string,
  { keyVersion, challenge }: { readonly keyVersion: number; readonly challenge: Uint8Array },
): Promise<Uint8Array> {
  const { changes, cards, vault, unitOfWork, audit } = ports;
  const found = await changes.findByTask(taskId);
  if (found === null || found.deviceId !== intent.actor.id) throw taskNotFound();
  const { id, cardId } = found.change;
  const after = { keyVersion, challengeDigest: createHash('sha256').update(challenge).digest('hex') };

  async function record(tx: Tx, action: string) {
    const card = await cards.lock(tx, cardId);
    if (card === null) throw cardUnknown();
    const about = { cardId, personId: card.personId, deviceId: card.deviceId };
    await audit.record(tx, intent, { action, object: { kind: 'key-change', id }, about, after });
    return card;
  }
  const card = await unitOfWork.run(async (tx) => {
    const held = await cards.lock(tx, cardId);
    const change = await changes.read(tx, id);
    if (held === null || change === null) throw cardUnknown();
    if (held.kind === 'tpm') throw ofTpmCard();
    assertAnswerable(change);
    assertVersion(change, keyVersion);
    await changes.update(tx, id, { answers: change.answers + 1 });
    return record(tx, 'key-change.answer-requested');
  });
  const asked = { requestedBy: intent.actor.id, requestId: intent.requestId, cardId };
  const { response } = await vault.answerChallenge({ ...asked, keyVersion, challenge, mode: card.challengeMode });
  await unitOfWork.run((tx) => record(tx, 'key-change.answered'));
  return response;
}

function ofTpmCard(): DomainError {
  const detail = 'A TPM card needs no answer for a change: the agent rehearses with the new key itself.';
  return new DomainError('unprocessable', 'key-change-of-a-tpm-card', detail);
}
