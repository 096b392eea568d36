import { DomainError } from '@cardwright/protocol';
import { MAX_SUCCESSIONS } from '@cardwright/protocol/tpm';
import { type BeginTakeOver, type Card, type CardRecords, cardUnknown, whyNoKeyChange } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { isOpen, type KeepTaskPorts, moveTask, queueTask, type TaskRecords } from '../tasks/index.ts';
import { assertHelps, type ChangeCause, changeAfter, kindOfChange, underWay } from './key-change.ts';
import type { KeyChangeRecords } from './ports.ts';

export interface RequestChangePorts extends KeepTaskPorts {
  readonly changes: KeyChangeRecords;
  readonly cards: CardRecords;
  readonly tasks: TaskRecords;
  readonly unitOfWork: UnitOfWork;
}

/**
 * A card is to get another administrator key: its device is asked, at its next check-in. Gives the id.
 * @throws DomainError `not-found`; `key-change-does-not-help` (unprocessable); `card-not-active`, `card-not-taken-over`,
 *   `card-already-taken-over`, `administrator-key-not-stored`, `card-without-device`, `key-change-open`,
 *   `too-many-successions` (conflict).
 */
export async function requestChange(
  ports: RequestChangePorts,
  intent: Intent,
  cardId: string,
  cause: ChangeCause,
): Promise<string> {
  const { cards, unitOfWork } = ports;
  return unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, cardId);
    if (card === null) throw cardUnknown();
    return beginChange(ports, tx, intent, card, cause);
  });
}

/** The same in the caller's transaction, which holds the card. */
export async function beginChange(
  ports: Omit<RequestChangePorts, 'unitOfWork' | 'cards'>,
  tx: Tx,
  intent: Intent,
  card: Card,
  cause: ChangeCause,
): Promise<string> {
  const { changes, audit, runtime } = ports;
  assertHelps(card.kind, cause);
  if (card.takeOverPending !== (cause === 'take-over')) throw wrongCause(card.takeOverPending);
  const keyChangeOpen = (await changes.openOfCard(tx, card.id)) !== null;
  const obstacle = whyNoKeyChange({ ...card, keyChangeOpen });
  if (obstacle !== null) throw new DomainError('conflict', obstacle.code, obstacle.why);
  if (card.kind === 'tpm' && (await changes.countRotations(tx, card.id)) >= MAX_SUCCESSIONS) {
    const detail = `The key of a card in a TPM is changed ${MAX_SUCCESSIONS} times at most; reissue the card.`;
    throw new DomainError('conflict', 'too-many-successions', detail);
  }
  const { deviceId, keyVersion } = card;
  if (deviceId === null || keyVersion === null) throw new Error(`card ${card.id} has no device or no key after all`);
  const work = { kind: 'change-administrator-key' } as const;
  const taskId = await queueTask(ports, tx, intent, { deviceId, cardId: card.id, work });
  const change = {
    id: runtime.newId(),
    cardId: card.id,
    taskId,
    kind: kindOfChange(card.kind, card.takeOverPending),
    cause,
    fromVersion: keyVersion,
    reason: intent.reason ?? null,
    ticket: intent.ticket ?? null,
    requestedBy: { id: intent.actor.id, name: intent.actor.name },
    createdAt: runtime.now(),
  };
  await changes.insert(tx, change);
  await audit.record(tx, intent, {
    action: 'key-change.requested',
    object: { kind: 'key-change', id: change.id },
    about: { cardId: card.id, personId: card.personId, deviceId },
    after: { kind: change.kind, cause, fromVersion: keyVersion },
  });
  return change.id;
}

/** For a registration: the card's key is known to others, and is to be changed before anything else. */
export function beginTakeOver(ports: Parameters<typeof beginChange>[0]): BeginTakeOver {
  return async (tx, intent, card) => {
    const why = { ...intent, reason: intent.reason ?? 'the card is taken over' };
    await beginChange(ports, tx, why, card, 'take-over');
  };
}

/**
 * Only before the device was given a key: after that nobody but the card's device knows which one the card has.
 * @throws DomainError `not-found`; `key-change-offered`, `key-change-closed` (conflict).
 */
export async function cancelChange(ports: RequestChangePorts, intent: Intent, changeId: string): Promise<void> {
  const { changes, cards, tasks, audit, unitOfWork } = ports;
  const found = await changes.find(changeId);
  if (found === null) throw changeNotFound();
  await unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, found.cardId);
    const change = await changes.read(tx, changeId);
    if (card === null || change === null) throw changeNotFound();
    const state = changeAfter(change.state, 'cancel');
    await changes.update(tx, change.id, { state });
    await audit.record(tx, intent, {
      action: 'key-change.cancelled',
      object: { kind: 'key-change', id: change.id },
      about: { cardId: card.id, personId: card.personId, deviceId: card.deviceId },
      before: { state: change.state },
      after: { state },
    });
    const task = await tasks.lock(tx, change.taskId);
    if (task !== null && isOpen(task)) await moveTask(ports, tx, intent, task, 'cancel');
  });
}

/**
 * Of an offered change whose device has given up, without anybody knowing which key the card has: `card-refused-both-keys`,
 * say. The change has failed; the vault keeps both keys, and should the card turn up with the new one, the change is confirmed
 * after all. Another change may be asked for.
 * @throws DomainError `not-found`; `key-change-not-offered`, `key-change-closed`, `key-change-under-way` (conflict).
 */
export async function abandonChange(ports: RequestChangePorts, intent: Intent, changeId: string): Promise<void> {
  const { changes, cards, tasks, audit, unitOfWork } = ports;
  const found = await changes.find(changeId);
  if (found === null) throw changeNotFound();
  await unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, found.cardId);
    const change = await changes.read(tx, changeId);
    if (card === null || change === null) throw changeNotFound();
    const state = changeAfter(change.state, 'give-up');
    const task = await tasks.lock(tx, change.taskId);
    if (change.reportedAt !== null || (task !== null && isOpen(task))) throw underWay();
    const failure = { code: 'key-change-given-up', detail: intent.reason ?? null };
    await changes.update(tx, change.id, { state, failure });
    await audit.record(tx, intent, {
      action: 'key-change.given-up',
      object: { kind: 'key-change', id: change.id },
      about: { cardId: card.id, personId: card.personId, deviceId: card.deviceId },
      before: { state: change.state },
      after: { state, keyVersion: change.toVersion },
    });
  });
}

export const changeNotFound = (): DomainError =>
  new DomainError('not-found', 'not-found', 'There is no such change of an administrator key.');

function wrongCause(takeOverPending: boolean): DomainError {
  return takeOverPending
    ? new DomainError('conflict', 'card-not-taken-over', 'This card has yet to be taken over: the cause is take-over.')
    : new DomainError('conflict', 'card-already-taken-over', 'This card is under management already.');
}
