import type { Certificate, CertificateRecords } from '../certificates/index.ts';
import type { Intent, Role } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { type Operation, type OperationRecords, PLAN_SECONDS, type Work } from '../operations/index.ts';
import { type BatchInput, type BatchOrder, SKIP_CODES } from './batch.ts';
import type { ItemOutcome, RevocationBatches } from './batch-ports.ts';
import type { Revocations } from './ports.ts';
import type { RevocationService, Why } from './revoke-certificate.ts';

export interface BatchPorts {
  readonly batches: RevocationBatches;
  readonly operations: OperationRecords;
  readonly certificates: CertificateRecords;
  readonly revocationRecords: Revocations;
  readonly revocations: RevocationService;
  readonly unitOfWork: UnitOfWork;
  readonly runtime: Runtime;
}

/** Decided in one transaction: a crash loses at most the work on these. */
const AT_ONCE = 100;

/** Looks for the certificates and changes nothing of them. Gives the id of the planned operation. */
export async function planBatch(
  { batches, runtime }: Pick<BatchPorts, 'batches' | 'runtime'>,
  { actor, requestId, ticket }: Intent,
  order: BatchOrder,
): Promise<string> {
  const id = runtime.newId();
  const createdAt = runtime.now();
  await batches.plan(
    {
      id,
      reason: order.comment,
      ticket: ticket ?? null,
      requestedBy: { id: actor.id, name: actor.name, role: actor.kind === 'operator' ? actor.role : actor.kind },
      requestId,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + PLAN_SECONDS * 1000),
    },
    order,
  );
  return id;
}

/**
 * Each certificate in two phases, as one alone: here it is decided, and the worker's queue tells the CA. What the same
 * selection finds meanwhile is added until it finds nothing new; what is issued later is not the batch's.
 */
export function createRevocationBatchWork(ports: BatchPorts): Work {
  const { batches, runtime } = ports;
  return {
    async advance(operation, until) {
      const input = operation.input as unknown as BatchInput;
      for (;;) {
        const decided = await decide(ports, operation, input);
        if (decided === 'ended') return { done: false };
        await ports.operations.count(operation.id);
        if (decided === 0) break;
        if (runtime.now() >= until) return { done: false };
      }
      const waiting = await batches.reconcile(operation.id);
      const added = input.alsoIssuedMeanwhile ? await batches.addNew(operation.id, input.select, runtime.now()) : 0;
      return { done: waiting === 0 && added === 0 };
    },
  };
}

async function decide(ports: BatchPorts, operation: Operation, input: BatchInput): Promise<number | 'ended'> {
  const { batches, operations, unitOfWork, runtime } = ports;
  const why: Why = {
    reason: input.revocationReason,
    comment: operation.reason,
    invalidityDate: input.invalidityDate === null ? undefined : new Date(input.invalidityDate),
  };
  return unitOfWork.run(async (tx) => {
    // Held: who cancels waits for these, and then nothing more is decided.
    if ((await operations.lock(tx, operation.id))?.state !== 'running') return 'ended';
    const items = await batches.pending(tx, operation.id, AT_ONCE);
    if (items.length === 0) return 0;
    const outcomes: ItemOutcome[] = [];
    for (const { position, certificateId } of items) {
      const certificate = await ports.certificates.lock(tx, certificateId);
      const code = certificate === null ? SKIP_CODES.failed : await whyNot(ports, tx, certificate);
      outcomes.push({ position, state: code === null ? 'decided' : 'skipped', code });
      if (certificate === null || code !== null) continue;
      await ports.revocations.propose(tx, intentOf(operation), certificate, why, runtime.now());
    }
    await batches.settle(tx, operation.id, outcomes);
    return outcomes.length;
  });
}

/** Between the plan and now somebody may have revoked it, or its time may have ended. */
async function whyNot(ports: BatchPorts, tx: Tx, certificate: Certificate): Promise<string | null> {
  const { status } = certificate;
  if (status === 'failed') return SKIP_CODES.failed;
  if (status === 'revoked' || (await ports.revocationRecords.findIn(tx, certificate.id)) !== null) {
    return SKIP_CODES.revoked;
  }
  return 'notAfter' in certificate && certificate.notAfter <= ports.runtime.now() ? SKIP_CODES.expired : null;
}

/** Who ran it decided each of them. */
function intentOf({ requestedBy, requestId, reason, ticket }: Operation): Intent {
  const { id, name, role } = requestedBy;
  return { actor: { kind: 'operator', id, name, role: role as Role }, requestId, reason, ticket: ticket ?? undefined };
}
