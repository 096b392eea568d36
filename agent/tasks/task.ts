import { isDomainError } from '@cardwright/protocol';
import type { Context } from '../commands/command.ts';
import type { DeviceServer, RenewalServer, TaskServer } from '../server/port.ts';
import type { StoredCard } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import type { AgentTask } from './agent-task.ts';
import type { TaskResult } from './journal.ts';

/** What a handler works with. Nothing is held between its steps: the store's lock and the hardware are taken for each. */
export interface TaskWork {
  readonly context: Context;
  /** As given on the command line. */
  readonly storeDirectory: string | undefined;
  readonly tpm: string | undefined;
  readonly serverUrl: string;
  readonly server: DeviceServer & TaskServer & RenewalServer;
  /** One line in the log. Never a secret. */
  log(event: string, facts?: Readonly<Record<string, string | number | null>>): void;
}

/**
 * Does a task, or goes on with it. Called again after a crash, it finds what it stored (`Store.task`), so it must be
 * idempotent. Gives the result, failures included; throws only what another try may mend (kind `unavailable` or
 * `too-many`). What it throws otherwise becomes the failed result. May store the `finished` entry itself, in the same
 * write as what it changed; else that is done for it.
 */
export type TaskHandler = (work: TaskWork, task: AgentTask) => Promise<TaskResult>;

export const readStore = (work: TaskWork): Store => work.context.readStore(work.storeDirectory);

/** One locked change, decided on what the store holds at that moment. */
export const changeStore = <T>(work: TaskWork, change: (store: Store) => T): Promise<T> =>
  work.context.changeStore(work.storeDirectory, async (store) => change(store));

/** The card that the task is about, if this store has it from that server. */
export function cardOf(store: Store, work: TaskWork, task: AgentTask): StoredCard | undefined {
  const card = task.cardId === null ? undefined : store.card(task.cardId);
  return card?.server === work.serverUrl ? card : undefined;
}

export const entryOf = (work: TaskWork, { taskId, kind }: AgentTask) => ({ server: work.serverUrl, taskId, kind });

/** Kinds of error that another try may mend: no result yet. */
export const isPassing = (error: unknown): boolean =>
  isDomainError(error) &&
  (error.kind === 'unavailable' ||
    error.kind === 'too-many' ||
    error.kind === 'unauthenticated' ||
    error.code === 'server-certificate-changed');
