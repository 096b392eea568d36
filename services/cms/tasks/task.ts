import { DomainError } from '@cardwright/protocol';

/** What the server asks of the agent of a device. */
export const TASK_KINDS = ['change-administrator-key', 'message', 'renew', 're-attest', 'retire', 'destroy'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** What is to be done: the kind, and what only that kind needs to know. */
export type TaskWork =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: Exclude<TaskKind, 'message'> };

interface KindRules {
  /** How often a device is told: one that never says what came of it has had its chances. */
  readonly maxAttempts: number;
  /** Of no use once its card is retired or destroyed. */
  readonly endsWithCard: boolean;
  /** A failure is not the last word while there are attempts: what is in the way may go away. */
  readonly triedAgain: boolean;
}

/** The one place that says what is particular to a kind. What a result does is said by who asked: see ports.ts. */
const RULES: Readonly<Record<TaskKind, KindRules>> = {
  'change-administrator-key': { maxAttempts: 50, endsWithCard: true, triedAgain: false },
  message: { maxAttempts: 50, endsWithCard: true, triedAgain: false },
  renew: { maxAttempts: 50, endsWithCard: true, triedAgain: true },
  're-attest': { maxAttempts: 50, endsWithCard: true, triedAgain: true },
  retire: { maxAttempts: 50, endsWithCard: false, triedAgain: true },
  destroy: { maxAttempts: 50, endsWithCard: false, triedAgain: true },
};

/** queued: waits for the device's next check-in. delivered: the device was told, and has not said what came of it. */
export const TASK_STATES = ['queued', 'delivered', 'done', 'failed', 'cancelled'] as const;
export type TaskState = (typeof TASK_STATES)[number];
export type TaskAct = 'deliver' | 'finish' | 'fail' | 'retry' | 'cancel';

const TRANSITIONS: Readonly<Record<TaskState, Partial<Readonly<Record<TaskAct, TaskState>>>>> = {
  queued: { deliver: 'delivered', finish: 'done', fail: 'failed', retry: 'queued', cancel: 'cancelled' },
  // Told again at each check-in until the device says what came of it: an answer may be lost.
  delivered: { deliver: 'delivered', finish: 'done', fail: 'failed', retry: 'queued', cancel: 'cancelled' },
  done: {},
  failed: {},
  cancelled: {},
};

export interface TaskFailure {
  readonly code: string;
  readonly detail: string | null;
}

export interface Task {
  readonly id: string;
  readonly deviceId: string;
  readonly cardId: string | null;
  readonly work: TaskWork;
  readonly state: TaskState;
  readonly attempts: number;
  readonly failure: TaskFailure | null;
  readonly createdBy: { readonly id: string; readonly name: string };
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
  readonly finishedAt: Date | null;
}

export const isOpen = ({ state }: Pick<Task, 'state'>): boolean => TRANSITIONS[state].cancel !== undefined;

/** Where the act leads. Error: a caller's mistake, for whether a task is open is asked before. */
export function taskAfter(state: TaskState, act: TaskAct): TaskState {
  const next = TRANSITIONS[state][act];
  if (next === undefined) throw new Error(`a task that is ${state} can't ${act}`);
  return next;
}

export const isExhausted = ({ work, attempts }: Pick<Task, 'work' | 'attempts'>): boolean =>
  attempts >= RULES[work.kind].maxAttempts;

export const endsWithCard = ({ work }: Pick<Task, 'work'>): boolean => RULES[work.kind].endsWithCard;

/** What a result does to its task, where the kind has no more to say. */
export function actOfOutcome(task: Pick<Task, 'work' | 'attempts'>, outcome: 'done' | 'failed'): TaskAct {
  if (outcome === 'done') return 'finish';
  return RULES[task.work.kind].triedAgain && !isExhausted(task) ? 'retry' : 'fail';
}

export const EXHAUSTED: TaskFailure = {
  code: 'task-attempts-exhausted',
  detail: 'The device was told often enough, and never said what came of it.',
};

/** A device that reports what it was never told is not one of ours. @throws DomainError `task-not-delivered` (conflict). */
export function assertDelivered({ attempts }: Pick<Task, 'attempts'>): void {
  if (attempts > 0) return;
  throw new DomainError('conflict', 'task-not-delivered', 'This task was not delivered yet: check in first.');
}

/** The same for what is not there and for what the asker may not know of. */
export const taskNotFound = (): DomainError => new DomainError('not-found', 'not-found', 'There is no such task.');
