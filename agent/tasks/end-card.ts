import { openCard } from '../commands/choose-card.ts';
import type { StoredCard } from '../store/document.ts';
import type { AgentTask } from './agent-task.ts';
import { done, failed, type TaskResult } from './journal.ts';
import { cardOf, changeStore, entryOf, readStore, type TaskHandler, type TaskWork } from './task.ts';

/** Takes the card out of use here as it was at the server: its keys stay, and are no longer used, until it is destroyed. */
export const retireCard: TaskHandler = async (work, task) => {
  const result = done();
  return await changeStore(work, (store) => {
    const card = cardOf(store, work, task);
    if (card === undefined) return failed('card-unknown', 'This device has no such card.');
    const retired = card.state === 'active' ? ({ ...card, state: 'retired' } as const) : card;
    store.putTask({ ...entryOf(work, task), state: { step: 'finished', result } }, retired);
    return result;
  });
};

/**
 * Destroys the card's place and with it every key that only that place's PIN opens. The proof is the hardware's own word:
 * nothing stands there any more. The intent is stored first, so that a card whose end was begun is not used again.
 *
 * Not guaranteed: a proof against this agent. Whoever rules the device may report what he likes; that the certificates are
 * revoked does not depend on it.
 */
export const destroyCard: TaskHandler = async (work, task) => {
  const before = cardOf(readStore(work), work, task);
  // One that was destroyed for this very task has its result in the journal; of another there is nothing to prove.
  if (before === undefined) return failed('card-unknown', 'This device has no such card.');
  await changeStore(work, (store) => {
    const card = cardOf(store, work, task);
    if (card !== undefined && card.state !== 'destroying') store.putCard({ ...card, state: 'destroying' });
  });
  const proof = await work.context.useCards(work.tpm, async (cards) => {
    const card = await openCard(readStore(work), cards, before);
    await card.destroy();
    return cards.slotState(before.slot, Buffer.from(before.key.name, 'hex'));
  });
  const result = destroyed(before, proof);
  if (result.outcome === 'done') await forget(work, task, before, result);
  return result;
};

function destroyed({ slot, keys }: StoredCard, proof: string): TaskResult {
  const place = `0x${slot.toString(16).padStart(8, '0')}`;
  if (proof !== 'absent') return failed('card-still-there', `Something still stands at ${place}.`);
  const names = keys.map(({ container }) => container).join(', ');
  return done({ detail: `Nothing stands at ${place} any more; with it went ${keys.length} keys (${names}).` });
}

const forget = (work: TaskWork, task: AgentTask, card: StoredCard, result: TaskResult): Promise<void> =>
  changeStore(work, (store) =>
    store.finishTaskWithoutCard({ ...entryOf(work, task), state: { step: 'finished', result } }, card.cardId),
  );
