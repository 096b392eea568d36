import { DomainError } from '@cardwright/protocol';
import { type CardRecords, cardUnknown } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { type KeepTaskPorts, queueTask, type TaskRecords } from '../tasks/index.ts';

export interface AskAgainPorts extends KeepTaskPorts {
  readonly tasks: TaskRecords;
  readonly cards: CardRecords;
  readonly unitOfWork: UnitOfWork;
}

const IN_USE: readonly string[] = ['active', 'blocked', 'suspended'];

/**
 * Has the device prove its TPM and the keys of the card anew, at its next check-in. Asked again while it is not done, it is
 * the same task.
 * @throws DomainError `not-found`; `card-not-attestable` (conflict): not a TPM card in use on a device.
 */
export async function askForEvidence(
  ports: AskAgainPorts,
  intent: Intent,
  cardId: string,
): Promise<{ readonly taskId: string }> {
  return ports.unitOfWork.run(async (tx) => {
    const card = await ports.cards.lock(tx, cardId);
    if (card === null) throw cardUnknown();
    const { deviceId } = card;
    if (card.kind !== 'tpm' || deviceId === null || !IN_USE.includes(card.state)) {
      const detail = 'Only a card in use, in the TPM of a device, can be attested.';
      throw new DomainError('conflict', 'card-not-attestable', detail);
    }
    const open = (await ports.tasks.lockOpenOfCard(tx, cardId)).find(({ work }) => work.kind === 're-attest');
    if (open !== undefined) return { taskId: open.id };
    return { taskId: await queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 're-attest' } }) };
  });
}
