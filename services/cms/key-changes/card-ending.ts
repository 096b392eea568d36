import type { Card, CardEnding } from '../cards/index.ts';
import { endsWithCard, type KeepTaskPorts, moveTask, queueTask, type TaskRecords } from '../tasks/index.ts';
import { changeAfter, isOpen } from './key-change.ts';
import type { KeyChangeRecords } from './ports.ts';

export interface CardEndingPorts extends KeepTaskPorts {
  readonly tasks: TaskRecords;
  readonly changes: KeyChangeRecords;
}

/**
 * What ends with a card: an open change of its key, and the tasks that were for it. A TPM card that is retired is to be
 * destroyed where it is; the task waits for its device as long as it takes, and the card stays retired if it never comes.
 */
export function createCardEnding(ports: CardEndingPorts): CardEnding {
  const { tasks, changes, audit } = ports;
  return async (tx, intent, card, act) => {
    const change = await changes.openOfCard(tx, card.id);
    if (change !== null && isOpen(change)) {
      const state = changeAfter(change.state, 'end');
      await changes.update(tx, change.id, { state });
      await audit.record(tx, intent, {
        action: 'key-change.cancelled',
        object: { kind: 'key-change', id: change.id },
        about: { cardId: card.id, personId: card.personId, deviceId: card.deviceId },
        before: { state: change.state },
        after: { state, card: act === 'retire' ? 'retired' : 'destroyed' },
      });
    }
    const open = await tasks.lockOpenOfCard(tx, card.id);
    for (const task of open) {
      if (task.work.kind === 'destroy') {
        if (act === 'destroy') await moveTask(ports, tx, intent, task, 'finish');
      } else if (endsWithCard(task) || act === 'destroy') {
        await moveTask(ports, tx, intent, task, 'cancel');
      }
    }
    const asked = open.some(({ work }) => work.kind === 'destroy');
    if (act === 'retire' && !asked && isDestroyable(card)) {
      const { id: cardId, deviceId } = card;
      await queueTask(ports, tx, intent, { deviceId, cardId, work: { kind: 'destroy' } });
    }
  };
}

/** A card that exists outside a TPM is not the agent's to destroy. */
const isDestroyable = (card: Card): card is Card & { readonly deviceId: string } =>
  card.kind === 'tpm' && card.deviceId !== null;
