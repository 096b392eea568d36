import { DomainError, isDomainError } from '@cardwright/protocol';
import type { PolicyApproval } from '../card/port.ts';
import { openCard } from '../commands/choose-card.ts';
import { administratorKeyVersion, successionOf } from '../store/card-record.ts';
import type { StoredCard, StoredSuccession } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import type { AgentTask } from './agent-task.ts';
import { done, failed, type SuccessorOffer, type TaskState } from './journal.ts';
import { cardOf, changeStore, entryOf, isPassing, readStore, type TaskHandler, type TaskWork } from './task.ts';

const bytes = (base64: string) => Buffer.from(base64, 'base64');

/**
 * A TPM card gets another administrator key: offered -> stored -> imported -> rehearsed -> adopted. Until it is adopted the
 * card's own keys are untouched, and what was imported is but a blob; when it is, the keys before it go on working.
 */
export const succeedKey: TaskHandler = async (work, task) => {
  for (;;) {
    const store = readStore(work);
    const card = cardOf(store, work, task);
    if (card === undefined) return failed('card-unknown', 'This device has no such card.');
    if (card.state !== 'active') return failed('card-not-in-use', `The card is ${card.state} on its device.`);
    const state = store.task(work.serverUrl, task.taskId)?.state;
    if (state?.step === 'finished') return state.result;
    const { offer } = state ?? {};
    if (offer !== undefined && card.successions.some(({ name }) => name === offer.name)) {
      return done({ keyVersion: offer.keyVersion });
    }
    try {
      await step(work, task, card, state);
    } catch (error) {
      if (isPassing(error) || !isDomainError(error)) throw error;
      return { ...failed(error.code, error.detail), keyVersion: administratorKeyVersion(card) };
    }
  }
};

async function step(work: TaskWork, task: AgentTask, card: StoredCard, state: TaskState | undefined): Promise<void> {
  if (state === undefined || (state.step === 'offered' && state.offer.kind !== 'successor')) {
    const parent = await withCards(work, async (cards) => cards.parent());
    const offer = await work.server.keyOffer(task.taskId, Buffer.from(parent.public).toString('base64'));
    if (offer.kind !== 'successor') {
      throw new DomainError('unprocessable', 'key-offer-unfit', 'The server offered a key for another kind of card.');
    }
    await save(work, task, { step: 'offered', offer });
    return;
  }
  if (state.step === 'offered' && state.offer.kind === 'successor') {
    const { offer } = state;
    const wrapped = {
      name: Buffer.from(offer.name, 'hex'),
      public: bytes(offer.public),
      duplicate: bytes(offer.duplicate),
      inSymSeed: bytes(offer.inSymSeed),
    };
    const blob = await withCards(work, (cards) => cards.importAdministratorKey(wrapped));
    await save(work, task, { step: 'imported', offer, blob: Buffer.from(blob).toString('base64') });
    return;
  }
  if (state.step === 'imported') await adopt(work, task, card, state);
}

async function adopt(
  work: TaskWork,
  task: AgentTask,
  card: StoredCard,
  { offer, blob }: Extract<TaskState, { step: 'imported' }>,
): Promise<void> {
  const { keyVersion, name, approval } = offer;
  const succession: StoredSuccession = { keyVersion, name, blob, approval };
  await withCards(work, async (cards, store) => {
    const { record } = await openCard(store, cards, card);
    await cards.rehearse(record, successionOf(succession), rehearsalOf(offer));
  });
  work.log('key-rehearsed', { card: card.serial, keyVersion });
  await changeStore(work, (store) => {
    const now = cardOf(store, work, task);
    // Destroyed meanwhile, or changed by another store's copy: the loop looks again.
    if (now?.state !== 'active' || now.successions.length !== card.successions.length) return;
    const adopted = { ...now, successions: [...now.successions, succession] };
    store.putTask({ ...entryOf(work, task), state: { step: 'finished', result: done({ keyVersion }) } }, adopted);
  });
}

const rehearsalOf = ({ rehearsal }: SuccessorOffer): PolicyApproval => ({
  approvedPolicy: bytes(rehearsal.approvedPolicy),
  signature: bytes(rehearsal.signature),
});

const save = (work: TaskWork, task: AgentTask, state: TaskState): Promise<void> =>
  changeStore(work, (store) => store.putTask({ ...entryOf(work, task), state }));

/** This device's hardware, once it is known to be the store's. */
function withCards<T>(
  work: TaskWork,
  act: (cards: Parameters<Parameters<TaskWork['context']['useCards']>[1]>[0], store: Store) => Promise<T>,
): Promise<T> {
  return work.context.useCards(work.tpm, async (cards) => {
    const store = readStore(work);
    store.requireDevice(Buffer.from((await cards.parent()).name).toString('hex'));
    return act(cards, store);
  });
}
