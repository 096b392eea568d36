import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { demandAct, type Operation, operationNotFound } from './operation.ts';
import type { OperationRecords, Work } from './ports.ts';

export interface OperationPorts {
  readonly operations: OperationRecords;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export interface RunOperationsPorts extends OperationPorts {
  readonly works: Readonly<Record<Operation['kind'], Work>>;
  /** Told of each operation that could not go on now. For the log. */
  readonly onHeldUp: (error: unknown, operationId: string) => void;
}

/** What one round of the worker gives to all operations together: it has other things to do. */
const SLICE_MILLIS = 5_000;
const AT_ONCE = 20;

function record(ports: OperationPorts, tx: Tx, intent: Intent, verb: string, operation: Operation) {
  return ports.audit.record(tx, intent, {
    action: `${operation.kind}.${verb}`,
    object: { kind: 'operation', id: operation.id },
    after: { ...operation.input, counts: operation.counts },
  });
}

/**
 * Runs the plan as it is. The worker carries it out.
 * @param first what is recorded before it, in its transaction
 * @throws DomainError `not-found`; those of {@link demandAct}.
 */
export async function startOperation(
  ports: OperationPorts,
  intent: Intent,
  id: string,
  first: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<Operation> {
  const { operations, runtime } = ports;
  const { actor, requestId } = intent;
  await ports.unitOfWork.run(async (tx) => {
    const operation = await operations.lock(tx, id);
    if (operation === null) throw operationNotFound();
    demandAct('run', operation, runtime.now());
    const role = actor.kind === 'operator' ? actor.role : actor.kind;
    const requestedBy = { id: actor.id, name: actor.name, role };
    await first(tx);
    await operations.start(tx, id, { requestedBy, requestId }, runtime.now());
    const { reason, ticket } = operation;
    await record(ports, tx, { ...intent, reason, ticket: ticket ?? undefined }, 'started', operation);
  });
  return found(ports, id);
}

/** What was decided stands; nothing more is. @throws DomainError `not-found`; those of {@link demandAct}. */
export async function cancelOperation(ports: OperationPorts, intent: Intent, id: string): Promise<Operation> {
  const { operations, runtime } = ports;
  await operations.count(id).catch(() => undefined);
  await ports.unitOfWork.run(async (tx) => {
    const operation = await operations.lock(tx, id);
    if (operation === null) throw operationNotFound();
    demandAct('cancel', operation, runtime.now());
    await operations.end(tx, id, 'cancelled', runtime.now());
    await record(ports, tx, intent, 'cancelled', operation);
  });
  return found(ports, id);
}

/** One round over all that run. Gives how many were finished. */
export async function runOperations(ports: RunOperationsPorts): Promise<number> {
  const { operations, runtime } = ports;
  const ids = await operations.running(AT_ONCE);
  let finished = 0;
  for (const [at, id] of ids.entries()) {
    const left = ids.length - at;
    const until = new Date(runtime.now().getTime() + SLICE_MILLIS / Math.min(left, ids.length));
    try {
      if (await advance(ports, id, until)) finished += 1;
    } catch (error) {
      ports.onHeldUp(error, id);
    }
  }
  return finished;
}

async function advance(ports: RunOperationsPorts, id: string, until: Date): Promise<boolean> {
  const { operations, works, runtime } = ports;
  const operation = await operations.find(id);
  if (operation?.state !== 'running') return false;
  const { done } = await works[operation.kind].advance(operation, until);
  const counts = await operations.count(id);
  if (!done) return false;
  return ports.unitOfWork.run(async (tx) => {
    const now = await operations.lock(tx, id);
    if (now?.state !== 'running') return false;
    await operations.end(tx, id, 'done', runtime.now());
    const intent = {
      actor: { kind: 'system', id: 'worker', name: 'worker' },
      requestId: now.requestId,
      reason: now.reason,
      ticket: now.ticket ?? undefined,
    } as const;
    await record(ports, tx, intent, 'finished', { ...now, counts });
    return true;
  });
}

async function found({ operations }: OperationPorts, id: string): Promise<Operation> {
  const operation = await operations.find(id);
  if (operation === null) throw operationNotFound();
  return operation;
}
