import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { TaskRecords } from './ports.ts';
import { type Task, type TaskAct, type TaskFailure, type TaskWork, taskAfter } from './task.ts';

export interface KeepTaskPorts {
  readonly tasks: Pick<TaskRecords, 'insert' | 'change'>;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

const ACTION: Readonly<Record<TaskAct, string>> = {
  deliver: 'task.delivered',
  finish: 'task.done',
  fail: 'task.failed',
  retry: 'task.tried-again',
  cancel: 'task.cancelled',
};

type About = Pick<Task, 'id' | 'deviceId' | 'cardId'> & { readonly work: TaskWork };
const entryOf = (task: About, action: string) => ({
  action,
  object: { kind: 'task', id: task.id },
  about: { deviceId: task.deviceId, cardId: task.cardId },
});

/** Queues it in the caller's transaction; the device hears of it at its next check-in. Gives the id. */
export async function queueTask(
  { tasks, audit, runtime }: KeepTaskPorts,
  tx: Tx,
  intent: Intent,
  wanted: { readonly deviceId: string; readonly cardId: string | null; readonly work: TaskWork },
): Promise<string> {
  const createdBy = { id: intent.actor.id, name: intent.actor.name };
  const task = { ...wanted, id: runtime.newId(), createdBy, createdAt: runtime.now() };
  await tasks.insert(tx, task);
  await audit.record(tx, intent, { ...entryOf(task, 'task.queued'), after: { ...task.work } });
  return task.id;
}

/** Moves an open task by the transition table and records it, in the caller's transaction. Gives its new state. */
export async function moveTask(
  { tasks, audit, runtime }: KeepTaskPorts,
  tx: Tx,
  intent: Intent,
  task: Task,
  act: Exclude<TaskAct, 'deliver'>,
  failure: TaskFailure | null = null,
): Promise<Task['state']> {
  const state = taskAfter(task.state, act);
  await tasks.change(tx, task.id, {
    state,
    ...(failure === null ? {} : { failure }),
    ...(act === 'retry' ? {} : { finishedAt: runtime.now() }),
  });
  await audit.record(tx, intent, {
    ...entryOf(task, ACTION[act]),
    before: { state: task.state },
    after: { kind: task.work.kind, state, ...(failure ?? {}) },
  });
  return state;
}

/** The device is told, once more. Recorded the first time: the same at each check-in would say nothing. */
export async function markDelivered(
  { tasks, audit, runtime }: KeepTaskPorts,
  tx: Tx,
  intent: Intent,
  task: Task,
): Promise<void> {
  const state = taskAfter(task.state, 'deliver');
  await tasks.change(tx, task.id, { state, attempts: task.attempts + 1, deliveredAt: runtime.now() });
  if (task.attempts > 0) return;
  await audit.record(tx, intent, { ...entryOf(task, ACTION.deliver), after: { kind: task.work.kind, state } });
}
