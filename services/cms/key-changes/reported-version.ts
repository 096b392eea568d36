import { type Card, type CardRecords, cardUnknown } from '../cards/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import {
  isOpen as isOpenTask,
  type KeepTaskPorts,
  moveTask,
  type Task,
  type TaskEffect,
  type TaskRecords,
  type TaskReport,
  type TaskView,
} from '../tasks/index.ts';
import { type ConfirmChangePorts, confirmSoon, noteReported } from './confirm-change.ts';
import { assertVersion, changeAfter, isOpen, type KeyChange, versionMismatch } from './key-change.ts';
import type { DeviceIntent } from './ports.ts';

export interface ReportedVersionPorts extends ConfirmChangePorts, KeepTaskPorts {
  readonly cards: CardRecords;
  readonly tasks: TaskRecords;
}

/** What a check-in's word about a card's key leads to. */
export interface NotedVersion {
  /** A change to complete when the transaction is through. */
  readonly confirm: string | null;
  /** The task of a change that was confirmed before: the device has lost what it had of it. */
  readonly again: TaskView | null;
  /** A task of the card that has to wait for that. */
  readonly withheld: string | null;
}

const NOTHING: NotedVersion = { confirm: null, again: null, withheld: null };

/**
 * The device says which key the card has, or which one its store opens it with. The new one of a change that it was given:
 * the change is confirmed (its report was lost). The old one of a change that is confirmed: its store is older than that,
 * and gets the same offer again. In the transaction of the check-in, which holds the card.
 *
 * A device is believed about its own cards: one that lies makes its own card unserviceable, which it could anyway, and no
 * other.
 */
export async function noteVersion(
  ports: ReportedVersionPorts,
  tx: Tx,
  intent: DeviceIntent,
  card: Card,
  keyVersion: number,
): Promise<NotedVersion> {
  const { changes, tasks } = ports;
  // At nearly every check-in; what is offered is always newer.
  if (keyVersion === card.keyVersion) return NOTHING;
  const open = await changes.openOfCard(tx, card.id);
  if (open?.toVersion === keyVersion) {
    await noteReported(ports, tx, intent, card, open);
    const task = await tasks.lock(tx, open.taskId);
    if (task !== null && isOpenTask(task)) await moveTask(ports, tx, intent, task, 'finish');
    return { ...NOTHING, confirm: open.id };
  }
  const of = { cardId: card.id };
  const late = open === null ? await changes.latest(tx, { ...of, state: 'failed', toVersion: keyVersion }) : null;
  if (late !== null && late.fromVersion === card.keyVersion) {
    await noteReported(ports, tx, intent, card, late);
    return { ...NOTHING, confirm: late.id };
  }
  const lost = await changes.latest(tx, { ...of, state: 'confirmed', fromVersion: keyVersion });
  // The key of another card is on the card itself, whatever became of the store.
  if (lost === null || lost.kind !== 'rotation') return NOTHING;
  return { confirm: null, again: await tasks.find(lost.taskId), withheld: open?.taskId ?? null };
}

/** What the result of a change's task does. In the transaction of the report, which holds the card. */
export function reportedChange(ports: ReportedVersionPorts) {
  return async function apply(tx: Tx, intent: DeviceIntent, task: Task, report: TaskReport): Promise<TaskEffect> {
    const change = await ports.changes.readByTask(tx, task.id);
    const card = change === null ? null : await ports.cards.lock(tx, change.cardId);
    if (change === null || card === null) throw cardUnknown();
    const { keyVersion = report.outcome === 'done' ? change.toVersion : null } = report;
    if (keyVersion !== null) assertVersion(change, keyVersion);
    if (keyVersion !== null && keyVersion === change.toVersion) {
      await noteReported(ports, tx, intent, card, change);
      return { act: 'finish', afterwards: () => confirmSoon(ports, intent, change.id) };
    }
    if (report.outcome === 'done') {
      // Nothing was offered yet, or the card is said to have the old key: that is not done.
      changeAfter(change.state, 'confirm');
      throw versionMismatch(change);
    }
    if (!isSure(change, keyVersion)) {
      return { act: task.attempts < TRIES && !HARMFUL.has(report.code ?? '') ? 'retry' : 'fail' };
    }
    const { code = 'task-failed', detail = null } = report;
    await failChange(ports, tx, intent, card, change, { code, detail });
    return { act: 'fail' };
  };
}

/** Undecided, the device is asked this often; after that only a check-in that names the version decides. */
const TRIES = 10;

/** A card that counts wrong answers is not given more of them, undecided or not. */
const HARMFUL = new Set(['card-refused-both-keys', 'administrator-key-blocked']);

/** Whether it is known that the card still has the old key. A TPM card opens with the old key whatever else it has. */
const isSure = (change: KeyChange, keyVersion: number | null): boolean =>
  change.state === 'requested' || change.kind === 'rotation' || keyVersion === change.fromVersion;

/** The task was given up. A card of which nobody knows which key it has stays so, and both keys are kept. */
export async function giveUpChange(
  ports: Pick<ReportedVersionPorts, 'changes' | 'cards' | 'audit'>,
  tx: Tx,
  intent: DeviceIntent,
  task: Task,
  failure: NonNullable<KeyChange['failure']>,
): Promise<void> {
  const change = await ports.changes.readByTask(tx, task.id);
  if (change === null || !isOpen(change) || !isSure(change, null)) return;
  const card = await ports.cards.lock(tx, change.cardId);
  if (card !== null) await failChange(ports, tx, intent, card, change, failure);
}

async function failChange(
  { changes, audit }: Pick<ReportedVersionPorts, 'changes' | 'audit'>,
  tx: Tx,
  intent: DeviceIntent,
  card: Card,
  change: KeyChange,
  failure: NonNullable<KeyChange['failure']>,
): Promise<void> {
  const state = changeAfter(change.state, 'fail');
  await changes.update(tx, change.id, { state, failure });
  await audit.record(tx, intent, {
    action: 'key-change.failed',
    object: { kind: 'key-change', id: change.id },
    about: { cardId: card.id, personId: card.personId, deviceId: card.deviceId },
    before: { state: change.state },
    after: { state, ...failure },
  });
}
