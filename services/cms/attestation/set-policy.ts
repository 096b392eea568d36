import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { AttestationPolicy, Policies } from './ports.ts';

export interface SetPolicyDependencies {
  readonly attestationPolicies: Policies;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}

/**
 * Whether cards of a profile must prove their TPM. It counts for what is enrolled from now on; cards in use stay.
 * @throws DomainError `not-found`: no such profile of TPM cards.
 */
export async function setAttestationPolicy(
  { attestationPolicies, unitOfWork, audit }: SetPolicyDependencies,
  intent: Intent,
  profile: string,
  policy: AttestationPolicy,
): Promise<void> {
  await unitOfWork.run(async (tx) => {
    const before = await attestationPolicies.set(tx, profile, policy);
    if (before === null) {
      throw new DomainError('not-found', 'not-found', 'There is no card profile of this name for cards in TPMs.');
    }
    await audit.record(tx, intent, {
      action: 'card-profile.attestation-changed',
      object: { kind: 'card-profile', id: profile },
      before: { attestation: before },
      after: { attestation: policy },
    });
  });
}
