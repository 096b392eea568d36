import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { asRefusal } from './not-asked.ts';
import type { Answer, AttemptRecords, CaConnector } from './ports.ts';

export interface RevokeUnwantedDependencies {
  readonly attempts: AttemptRecords;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/** Nobody was ever given it: for relying parties it was never in use (RFC 5280 section 5.3.1). */
const REASON = 'cessationOfOperation';

/**
 * For the worker: a certificate that a CA gave and nobody wanted is revoked there. Repeatable: a crash between the CA and
 * the record has the CA told again.
 * @throws DomainError of the CA; `ca-unavailable` leaves it for the next round.
 */
export async function revokeUnwanted(
  deps: RevokeUnwantedDependencies,
  connector: CaConnector,
  intent: Intent,
  serialNumber: string,
): Promise<void> {
  const { attempts, unitOfWork, runtime } = deps;
  const answer = await attempts.bySerial(connector.description.name, serialNumber);
  if (answer?.state !== 'unwanted' || connector.revoke === undefined) return;
  const { certificate } = answer;
  const revokedAt = runtime.now();
  const revoked = { certificate, serialNumber, reason: REASON, revokedAt, invalidityDate: undefined };
  await connector.revoke(revoked).catch((error: unknown) => {
    throw asRefusal(error);
  });
  await unitOfWork.run((tx) => recordRevoked(deps, tx, intent, answer, null));
}

/** @param byHandOf the operator who did it at the CA; null: we did */
export async function recordRevoked(
  { attempts, audit, runtime }: Pick<RevokeUnwantedDependencies, 'attempts' | 'audit' | 'runtime'>,
  tx: Tx,
  intent: Intent,
  answer: Answer,
  byHandOf: string | null,
): Promise<void> {
  if (!(await attempts.revoked(tx, answer.id, runtime.now(), byHandOf))) return;
  const about = await attempts.requestedFor(tx, answer.requestId);
  await audit.record(tx, intent, {
    action: byHandOf === null ? 'certificate.answer-revoked' : 'certificate.revoked-by-hand',
    object: { kind: 'certificate', id: about?.certificateId ?? null },
    ...(about === null ? {} : { about }),
    after: { authority: answer.authority, serialNumber: answer.serialNumber },
  });
}
