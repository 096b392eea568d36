import { DomainError } from '@cardwright/protocol';
import { type AllowedAction, offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';

/**
 * Long work, in two steps: somebody makes a plan and looks at it, then runs it. What runs is the plan that was looked
 * at. The worker carries it on, through whatever restarts, until there is nothing left to do.
 */
export const OPERATION_STATES = ['planned', 'running', 'done', 'cancelled', 'expired'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];
export type OperationAct = 'run' | 'finish' | 'cancel' | 'expire';

const TRANSITIONS: Readonly<Record<OperationState, Partial<Readonly<Record<OperationAct, OperationState>>>>> = {
  planned: { run: 'running', cancel: 'cancelled', expire: 'expired' },
  running: { finish: 'done', cancel: 'cancelled' },
  done: {},
  cancelled: {},
  expired: {},
};

/**
 * pending: to be done. decided: recorded, and another system is being told. skipped: nothing is to be done, the code says
 * why. failed: the other system would not.
 */
export const ITEM_STATES = ['pending', 'decided', 'done', 'failed', 'skipped'] as const;
export type ItemState = (typeof ITEM_STATES)[number];
/** `added`: of those that are not skipped, how many came after the plan was made. */
export type Counts = Readonly<Record<ItemState | 'added', number>>;

export interface Operation {
  readonly id: string;
  readonly kind: 'revocation-batch';
  readonly state: OperationState;
  /** By kind: what was asked for. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly counts: Counts;
  readonly reason: string;
  readonly ticket: string | null;
  /** Who made the plan, and once it runs who ran it. */
  readonly requestedBy: { readonly id: string; readonly name: string; readonly role: string };
  /** All its audit events carry it. */
  readonly requestId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export const totalOf = ({ pending, decided, done, failed }: Counts): number => pending + decided + done + failed;

/** A plan that nobody runs is forgotten: what it says of the world gets old. */
export const PLAN_SECONDS = 3600;

export function shownState({ state, expiresAt }: Pick<Operation, 'state' | 'expiresAt'>, now: Date): OperationState {
  return state === 'planned' && expiresAt <= now ? 'expired' : state;
}

/** @throws DomainError (conflict) `operation-expired`, `operation-running`, `operation-done`, `operation-cancelled`, `nothing-to-do`. */
export function demandAct(act: OperationAct, operation: Pick<Operation, 'state' | 'expiresAt' | 'counts'>, now: Date) {
  const refusal = refusalOf(act, operation, now);
  if (refusal !== null) throw new DomainError('conflict', refusal.code, refusal.detail);
}

export function allowedOperationActions(
  operation: Operation,
  now: Date,
  permissions: ReadonlySet<Permission>,
): AllowedAction<'run' | 'cancel'>[] {
  return (['run', 'cancel'] as const).map((act) =>
    offer(act, 'certificates:revoke', permissions, refusalOf(act, operation, now)?.detail ?? null),
  );
}

const WHY_NOT: Readonly<Record<OperationState, string>> = {
  planned: 'This operation does not run yet.',
  running: 'This operation runs already.',
  done: 'This operation is done.',
  cancelled: 'This operation was cancelled.',
  expired: 'This plan is too old; make a new one and look at it.',
};

function refusalOf(
  act: OperationAct,
  operation: Pick<Operation, 'state' | 'expiresAt' | 'counts'>,
  now: Date,
): { readonly code: string; readonly detail: string } | null {
  const state = shownState(operation, now);
  if (TRANSITIONS[state][act] === undefined) return { code: `operation-${state}`, detail: WHY_NOT[state] };
  if (act === 'run' && totalOf(operation.counts) === 0) {
    return { code: 'nothing-to-do', detail: 'There is nothing in this plan that could be done.' };
  }
  return null;
}

/** The same for what is not there and for what the asker may not know of. */
export const operationNotFound = (): DomainError =>
  new DomainError('not-found', 'not-found', 'There is no such operation.');
