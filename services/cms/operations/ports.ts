import type { Tx } from '../kernel/unit-of-work.ts';
import type { Counts, ItemState, Operation, OperationState } from './operation.ts';

export interface OperationItem {
  readonly position: number;
  readonly state: ItemState;
  /** Why it was skipped, or failed. */
  readonly code: string | null;
  /** Came after the plan was made. */
  readonly added: boolean;
  /** Of a list, where the line names nothing. */
  readonly line: string | null;
  readonly certificate: {
    readonly id: string;
    readonly serialNumber: string | null;
    readonly subject: string | null;
    readonly status: string;
    readonly cardId: string;
    readonly personId: string;
    readonly authority: string;
  } | null;
}

export interface OperationRecords {
  find(id: string): Promise<Operation | null>;
  /** Newest first, those before the id `after`; up to `limit`. */
  list(
    filters: { readonly state?: OperationState | undefined },
    after: string | null,
    limit: number,
  ): Promise<Operation[]>;
  /** In the order of the plan, those after the position. */
  items(id: string, state: ItemState | undefined, after: number | null, limit: number): Promise<OperationItem[]>;
  /** Ids, oldest first. */
  running(limit: number): Promise<string[]>;
  /** Holds the row. */
  lock(tx: Tx, id: string): Promise<Operation | null>;
  start(tx: Tx, id: string, by: Pick<Operation, 'requestedBy' | 'requestId'>, at: Date): Promise<void>;
  end(tx: Tx, id: string, state: 'done' | 'cancelled', at: Date): Promise<void>;
  /** Counts the items anew and keeps the counts with the operation. */
  count(id: string): Promise<Counts>;
  /** Forgets plans that nobody ran. Gives how many. */
  expire(now: Date): Promise<number>;
}

/** One kind of long work. */
export interface Work {
  /** Goes on with a running operation for a while. Repeatable at any point; done when nothing is left to do. */
  advance(operation: Operation, until: Date): Promise<{ readonly done: boolean }>;
}
