import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { type KeepTaskPorts, moveTask } from './keep-task.ts';
import type { DeviceIntent, TaskEffects, TaskRecords, TaskReport } from './ports.ts';
import { actOfOutcome, assertDelivered, isOpen, type TaskFailure, type TaskState, taskNotFound } from './task.ts';

export interface ReportPorts extends KeepTaskPorts {
  readonly tasks: TaskRecords;
  readonly effects: TaskEffects;
  readonly unitOfWork: UnitOfWork;
}

/**
 * What came of a task. A device reports until it is answered, so the same report may come often, and twice at once: the
 * first one counts, and the others are told what it made of the task.
 * @throws DomainError `not-found`: also of another device's task; `task-not-delivered` (conflict); those of the kind.
 */
export async function reportResult(
  ports: ReportPorts,
  intent: DeviceIntent,
  taskId: string,
  report: TaskReport,
): Promise<TaskState> {
  const { tasks, effects, unitOfWork } = ports;
  const found = await tasks.find(taskId);
  if (found === null || found.deviceId !== intent.actor.id) throw taskNotFound();
  const { state, afterwards } = await unitOfWork.run(async (tx) => {
    if (found.cardId !== null) await tasks.holdCard(tx, found.cardId);
    const task = await tasks.lock(tx, taskId);
    if (task === null) throw taskNotFound();
    if (!isOpen(task)) return { state: task.state };
    assertDelivered(task);
    const effect = await effects[task.work.kind]?.(tx, intent, task, report);
    // The effect may have ended the task itself: whoever destroys a card ends what was asked for it.
    const now = await tasks.lock(tx, taskId);
    if (now === null || !isOpen(now)) return { ...effect, state: now?.state ?? task.state };
    const act = effect?.act ?? actOfOutcome(task, report.outcome);
    if (act === 'deliver') throw new Error('a report does not deliver its task');
    return { ...effect, state: await moveTask(ports, tx, intent, task, act, failureOf(report)) };
  });
  await afterwards?.();
  return state;
}

function failureOf({ outcome, code = 'task-failed', detail }: TaskReport): TaskFailure | null {
  return outcome === 'done' ? null : { code, detail: detail ?? null };
}
