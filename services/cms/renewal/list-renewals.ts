import type { AttestationPolicy } from '../attestation/index.ts';
import { keyFor, renewableFrom } from './policy.ts';
import type { DeviceIntent, RenewalPorts } from './ports.ts';
import { type Active, holdCard, policyOf, standingOf } from './renewable.ts';

export interface Renewal {
  readonly container: string;
  /** The one that the device has; a newer one that it never confirmed is given again when it asks. */
  readonly certificateId: string;
  readonly notAfter: Date;
  readonly renewableFrom: Date;
  readonly due: boolean;
  readonly key: 'same' | 'new';
  /** What attestation is for it: whether evidence goes with the request. */
  readonly attestation: AttestationPolicy;
}

/** When each container's certificate is to be renewed, and how. @throws DomainError `not-found`, `card-not-active`. */
export async function listRenewals(
  ports: RenewalPorts,
  intent: DeviceIntent,
  cardId: string,
): Promise<readonly Renewal[]> {
  const now = ports.runtime.now();
  const { card, standing } = await ports.unitOfWork.run(async (tx) => ({
    card: await holdCard(ports, tx, intent, cardId),
    standing: await standingOf(ports, tx, cardId),
  }));
  const active = standing.filter((one): one is Active => one.status === 'active' && one.notAfter > now);
  // Of those in force in a container the oldest is the one that the device is known to have.
  const inUse = new Map(active.toReversed().map((one) => [one.container, one]));
  const allFacts = await ports.renewals.factsOf([...inUse.values()].map(({ id }) => id));
  const renewals: Renewal[] = [];
  for (const certificate of inUse.values()) {
    const { container, id, notAfter } = certificate;
    const policy = await policyOf(ports, card, container);
    const facts = allFacts.get(id);
    if (facts === undefined) throw new Error(`certificate ${id} is not there`);
    const from = renewableFrom(certificate, policy, facts.requestedAt);
    const key = keyFor(policy, facts, now);
    const attestation = await ports.attestation.effectivePolicy(policy.attestation);
    const due = now >= from;
    renewals.push({ container, certificateId: id, notAfter, renewableFrom: from, due, key, attestation });
  }
  return renewals;
}
