import { done, failed } from './journal.ts';
import { changeStore, entryOf, type TaskHandler } from './task.ts';

/**
 * Kept for `cardwright-agent messages`, and shown on the desktop where there is one. Done means that it reached the device,
 * not that anybody read it.
 */
export const showMessage: TaskHandler = async (work, task) => {
  const { message, cardSerial } = task;
  if (message === null || message === '') return failed('message-missing', 'The task has no message.');
  const result = done();
  await changeStore(work, (store) => {
    const receivedAt = work.context.now().toISOString();
    const { server, taskId, kind } = entryOf(work, task);
    store.putMessage(
      { server, taskId, serial: cardSerial, text: message, receivedAt, shown: 'no' },
      { server, taskId, kind, state: { step: 'finished', result } },
    );
  });
  const shown = await work.context.service.notify('Message of your card service', message);
  work.log('message-received', { card: cardSerial, desktop: shown ? 'yes' : 'no' });
  return result;
};
