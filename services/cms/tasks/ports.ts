import type { Actor, Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Task, TaskAct, TaskFailure, TaskKind, TaskState, TaskWork } from './task.ts';

export interface NewTask {
  readonly id: string;
  readonly deviceId: string;
  readonly cardId: string | null;
  readonly work: TaskWork;
  readonly createdBy: { readonly id: string; readonly name: string };
  readonly createdAt: Date;
}

export interface TaskChange {
  readonly state: TaskState;
  readonly attempts?: number;
  readonly failure?: TaskFailure;
  readonly deliveredAt?: Date;
  readonly finishedAt?: Date;
}

/** A task with the words for its card. */
export interface TaskView extends Task {
  readonly card: { readonly id: string; readonly serial: string; readonly kind: 'tpm' | 'minidriver' } | null;
}

export interface TaskRecords {
  insert(tx: Tx, task: NewTask): Promise<void>;
  find(id: string): Promise<TaskView | null>;
  /** Held until the transaction ends. Who also takes the card takes it first. */
  lock(tx: Tx, id: string): Promise<Task | null>;
  /** Open ones of the device, oldest first; holds the rows. */
  lockOpenOfDevice(tx: Tx, deviceId: string, limit: number): Promise<TaskView[]>;
  /** Open ones of the card, oldest first; holds the rows. */
  lockOpenOfCard(tx: Tx, cardId: string): Promise<Task[]>;
  change(tx: Tx, id: string, change: TaskChange): Promise<void>;
  /** Newest first, those before the id `after`; up to `limit`. */
  listOfDevice(deviceId: string, after: string | null, limit: number): Promise<TaskView[]>;
  /** Holds the device: of two at once, the later counts the earlier one's. */
  countOpenMessages(tx: Tx, deviceId: string): Promise<number>;
  deviceExists(deviceId: string): Promise<boolean>;
  /** Taken before the rows of its tasks, so that all take rows in one order. */
  holdCard(tx: Tx, cardId: string): Promise<void>;
  /** Of the device, and in a state in which it is of use. Holds the card. */
  lockCardOfDevice(tx: Tx, cardId: string, deviceId: string): Promise<boolean>;
}

export interface TaskReport {
  readonly outcome: 'done' | 'failed';
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
  /** Of a key change: the version of the administrator key that the card has. */
  readonly keyVersion?: number | undefined;
}

/** What came of a report: what becomes of the task, and what is to be done when the transaction is through. */
export interface TaskEffect {
  readonly act: TaskAct;
  readonly afterwards?: () => Promise<void>;
}

export type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

/**
 * What a report does beside ending its task, said by the capability that asked for it. Runs in the transaction of the
 * report, which holds the card, once a task: a report of a task that is over does nothing.
 */
export type TaskEffects = Partial<
  Readonly<Record<TaskKind, (tx: Tx, intent: DeviceIntent, task: Task, report: TaskReport) => Promise<TaskEffect>>>
>;
