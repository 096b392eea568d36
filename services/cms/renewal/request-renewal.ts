import { cardUnknown } from '../cards/index.ts';
import { certificateNotFound } from '../certificates/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { queueTask, type TaskRecords } from '../tasks/index.ts';
import { keyFor } from './policy.ts';
import type { RenewalPorts } from './ports.ts';
import { ASKED_FOR, waitsForPin } from './reminder.ts';
import { assertRenewable, factsOf, notRenewable, policyOf, standingOf } from './renewable.ts';

export interface RequestRenewalPorts extends RenewalPorts {
  readonly tasks: TaskRecords;
}

export interface RequestedRenewal {
  readonly taskId: string;
  /** new: its holder is told, who makes the key with the PIN. same: the device does it alone. */
  readonly key: 'same' | 'new';
}

/**
 * Makes a certificate due, whatever its window, and has its device renew it at its next check-in. Asked again while that is
 * not done, it is the same task.
 * @throws DomainError `not-found`; `card-not-active`, `card-not-on-device`, `certificate-not-renewable` (conflict).
 */
export async function requestRenewal(
  ports: RequestRenewalPorts,
  intent: Intent,
  certificateId: string,
): Promise<RequestedRenewal> {
  const { certificates, cards, renewals, tasks, unitOfWork, runtime, audit } = ports;
  const found = await certificates.find(certificateId);
  if (found === null) throw certificateNotFound();
  const { cardId, container } = found;
  const facts = await factsOf(ports, certificateId);
  return unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, cardId);
    if (card === null) throw cardUnknown();
    const deviceId = assertRenewable(card);
    const certificate = (await standingOf(ports, tx, cardId)).find(({ id }) => id === certificateId);
    const now = runtime.now();
    if (certificate?.status !== 'active' || certificate.notAfter <= now) throw notRenewable();
    const key = keyFor(await policyOf(ports, card, container), facts, now);
    const told = key === 'new' ? await renewals.reminderTask(tx, certificateId, ASKED_FOR) : null;
    if (told !== null) return { taskId: told, key };
    const open = (await tasks.lockOpenOfCard(tx, cardId)).find(({ work }) => work.kind === 'renew');
    if (key === 'same' && open !== undefined && facts.requestedAt !== null) return { taskId: open.id, key };
    await renewals.setRequested(tx, certificateId, now);
    await audit.record(tx, intent, {
      action: 'certificate.renewal-requested',
      object: { kind: 'certificate', id: certificateId },
      about: { certificateId, cardId, deviceId, personId: card.personId },
      after: { container, key },
    });
    if (key === 'same') {
      if (open !== undefined) return { taskId: open.id, key };
      return { taskId: await queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 'renew' } }), key };
    }
    const text = waitsForPin(card.serial, container, certificate.notAfter);
    const taskId = await queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 'message', text } });
    await renewals.reminded(tx, { certificateId, days: ASKED_FOR, taskId, at: now });
    return { taskId, key };
  });
}
