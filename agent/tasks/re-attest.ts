import { attestDevice, evidenceOf } from '../attestation/attest-device.ts';
import type { AttestedKey } from '../server/port.ts';
import { recordOf } from '../store/card-record.ts';
import { done, failed } from './journal.ts';
import { cardOf, readStore, type TaskHandler } from './task.ts';

/**
 * Proves the TPM anew, and each key of the card. Nothing changes on the device, so that nothing is journalled: after a
 * crash it is done again.
 */
export const reAttest: TaskHandler = async (work, task) => {
  const card = cardOf(readStore(work), work, task);
  if (card === undefined) return failed('card-not-here', 'This device has no such card.');
  return work.context.useCards(work.tpm, async (cards) => {
    const attestation = cards.attestation();
    await attestDevice(attestation, work.server);
    const record = recordOf(card, (await cards.parent()).name);
    const keys: AttestedKey[] = [];
    for (const { container, blob } of card.keys) {
      const evidence = await evidenceOf(attestation, work.server, record, Buffer.from(blob, 'base64'));
      if (evidence !== undefined) keys.push({ container, evidence });
    }
    const verdicts = await work.server.attestCard(card.cardId, keys);
    const refused = verdicts.find(({ state }) => state === 'refused');
    if (refused === undefined) return done();
    return failed(refused.code ?? 'attestation-refused', `The key of ${refused.container} was not taken for attested.`);
  });
};
