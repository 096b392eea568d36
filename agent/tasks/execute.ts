import { type DomainError, isDomainError } from '@cardwright/protocol';
import { failureOf } from '../exit-codes.ts';
import type { AgentTask } from './agent-task.ts';
import { failed, type TaskEntry, type TaskResult } from './journal.ts';
import { changeStore, entryOf, isPassing, readStore, type TaskHandler, type TaskWork } from './task.ts';

/**
 * Does one task, or goes on with it, and reports what came of it. The result is stored before it is reported and dropped
 * after the server took it: reported at least once, applied once. Throws only what another try may mend.
 */
export async function execute(work: TaskWork, task: AgentTask, handler: TaskHandler | undefined): Promise<void> {
  const before = readStore(work).task(work.serverUrl, task.taskId);
  if (before?.state.step !== 'finished') {
    work.log('task-begun', { kind: task.kind, card: task.cardSerial, task: task.taskId });
    const result = handler === undefined ? unknownKind(task) : await resultOf(work, task, handler);
    await changeStore(work, (store) => {
      // The handler may have stored it with what it changed.
      if (store.task(work.serverUrl, task.taskId)?.state.step === 'finished') return;
      store.putTask({ ...entryOf(work, task), state: { step: 'finished', result } });
    });
  }
  const entry = readStore(work).task(work.serverUrl, task.taskId);
  if (entry !== undefined) await deliver(work, entry);
}

/** Tells the server the results that it could not be told before. */
export async function deliverResults(work: TaskWork): Promise<void> {
  for (const entry of readStore(work).document.tasks) {
    if (entry.server === work.serverUrl) await deliver(work, entry);
  }
}

/**
 * What was begun for a task that the server no longer has (cancelled, or its database restored): the card's own keys are
 * what they were, so only the journal is dropped.
 */
export async function forgetCancelled(work: TaskWork, tasks: readonly AgentTask[]): Promise<void> {
  const gone = readStore(work).document.tasks.filter(
    ({ server, taskId, state }) =>
      server === work.serverUrl && state.step !== 'finished' && !tasks.some((task) => task.taskId === taskId),
  );
  if (gone.length === 0) return;
  await changeStore(work, (store) => store.dropTasks(gone));
  for (const { kind, taskId } of gone) work.log('task-withdrawn', { kind, task: taskId });
}

async function resultOf(work: TaskWork, task: AgentTask, handler: TaskHandler): Promise<TaskResult> {
  try {
    return await handler(work, task);
  } catch (error) {
    if (isPassing(error)) throw error;
    const { code, detail } = failureOf(error);
    return failed(code, detail);
  }
}

/** A refusal of the report itself; one of the device (not let in, not the same TPM) says nothing about the task. */
const isFinal = ({ kind, code }: DomainError): boolean =>
  ['not-found', 'conflict', 'unprocessable', 'invalid'].includes(kind) && code !== 'device-tpm-changed';

async function deliver(work: TaskWork, entry: TaskEntry): Promise<void> {
  const { taskId, kind, state } = entry;
  if (state.step !== 'finished') return;
  const { outcome, code, keyVersion } = state.result;
  try {
    await work.server.reportTask(taskId, state.result);
  } catch (error) {
    if (!isDomainError(error) || !isFinal(error)) throw error;
    // The server has no such task, or is done with it in another way: telling it again changes nothing.
    work.log('task-report-refused', { kind, task: taskId, code: error.code });
  }
  await changeStore(work, (store) => store.dropTasks([entry]));
  work.log('task-reported', { kind, task: taskId, outcome, code, keyVersion });
}

const unknownKind = ({ kind }: AgentTask): TaskResult =>
  failed('task-kind-unknown', `This agent knows no task "${kind.slice(0, 40)}": update it.`);
