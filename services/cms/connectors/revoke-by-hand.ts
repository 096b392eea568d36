import { DomainError } from '@cardwright/protocol';
import type { Authorities } from '../certificates/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { type RevokeUnwantedDependencies, recordRevoked } from './revoke-unwanted.ts';

export interface RevokeByHandDependencies extends RevokeUnwantedDependencies {
  readonly authorities: Authorities;
  /** Goes on with the revocation of a certificate, now that its CA has it. */
  readonly confirmRevocation: (intent: Intent, certificateId: string) => Promise<void>;
}

/**
 * An operator says that they have revoked a certificate at a CA that can't be told by us. What was decided here before is
 * then confirmed; the word of the operator stands in the audit log.
 * @throws DomainError `not-found`; `revocation-not-by-hand` (conflict): this CA is told by us.
 */
export async function revokeByHand(
  deps: RevokeByHandDependencies,
  intent: Intent,
  authority: string,
  serialNumber: string,
): Promise<{ readonly serialNumber: string; readonly revokedAt: Date }> {
  const description = deps.authorities.describe().find(({ name }) => name === authority);
  const answer = description === undefined ? null : await deps.attempts.bySerial(authority, serialNumber);
  if (answer === null) throw new DomainError('not-found', 'not-found', 'This CA gave no certificate of that number.');
  if (description?.revocation !== 'by-hand') {
    const detail = 'This CA is told by us: revoke the certificate here, and it is revoked there.';
    throw new DomainError('conflict', 'revocation-not-by-hand', detail);
  }
  const about = await deps.unitOfWork.run(async (tx) => {
    await recordRevoked(deps, tx, intent, answer, intent.actor.id);
    return await deps.attempts.requestedFor(tx, answer.requestId);
  });
  if (about !== null && answer.state === 'chosen') await deps.confirmRevocation(intent, about.certificateId);
  const done = await deps.attempts.bySerial(authority, serialNumber);
  return { serialNumber, revokedAt: done?.revokedByHandAt ?? deps.runtime.now() };
}
