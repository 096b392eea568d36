import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { type KeepTaskPorts, queueTask } from './keep-task.ts';
import type { TaskRecords, TaskView } from './ports.ts';
import { taskNotFound } from './task.ts';

export interface SendMessagePorts extends KeepTaskPorts {
  readonly tasks: TaskRecords;
  readonly unitOfWork: UnitOfWork;
}

/** A user who comes back from leave should not find a wall of them. */
const MAX_OPEN_MESSAGES = 10;

/**
 * Shown to who uses the device, at its next check-in.
 * @throws DomainError `not-found`; `field-invalid` (unprocessable): the card is not on the device, or not in use;
 *   `messages-waiting` (conflict): the device has not fetched those before.
 */
export async function sendMessage(
  ports: SendMessagePorts,
  intent: Intent,
  deviceId: string,
  { text, cardId = null }: { readonly text: string; readonly cardId?: string | null | undefined },
): Promise<TaskView> {
  const { tasks, unitOfWork } = ports;
  if (!(await tasks.deviceExists(deviceId))) {
    throw new DomainError('not-found', 'not-found', 'There is no such device.');
  }
  const id = await unitOfWork.run(async (tx) => {
    // The device before the card, as a check-in takes them.
    if ((await tasks.countOpenMessages(tx, deviceId)) >= MAX_OPEN_MESSAGES) {
      const detail = `${MAX_OPEN_MESSAGES} messages wait for this device already. It has not checked in since.`;
      throw new DomainError('conflict', 'messages-waiting', detail);
    }
    if (cardId !== null && !(await tasks.lockCardOfDevice(tx, cardId, deviceId))) {
      const detail = 'There is no card in use of this id on the device.';
      throw new DomainError('unprocessable', 'field-invalid', detail, { fields: [{ pointer: '/cardId', detail }] });
    }
    return queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 'message', text } });
  });
  const sent = await tasks.find(id);
  if (sent === null) throw taskNotFound();
  return sent;
}
