import type { Tx } from '../kernel/unit-of-work.ts';
import type { Operation } from '../operations/index.ts';
import type { BatchInput, BatchOrder } from './batch.ts';

export interface PlannedItem {
  readonly position: number;
  readonly certificateId: string;
}
export interface ItemOutcome {
  readonly position: number;
  readonly state: 'decided' | 'skipped';
  readonly code: string | null;
}

export interface RevocationBatches {
  /**
   * Finds the certificates and keeps them as the items of a planned operation.
   * @throws DomainError `selection-too-large` (unprocessable).
   */
  plan(
    operation: Omit<Operation, 'counts' | 'input' | 'state' | 'startedAt' | 'finishedAt' | 'kind'>,
    order: BatchOrder,
  ): Promise<void>;
  /** The next ones that nothing is decided about, in the order of the plan. */
  pending(tx: Tx, operationId: string, limit: number): Promise<PlannedItem[]>;
  settle(tx: Tx, operationId: string, outcomes: readonly ItemOutcome[]): Promise<void>;
  /** Takes over what came of the decided ones at the CA. Gives how many still wait. */
  reconcile(operationId: string): Promise<number>;
  /** Adds what the selection finds now and did not when the plan was made. Gives how many. */
  addNew(operationId: string, select: BatchInput['select'], now: Date): Promise<number>;
}
