import type { DeviceIntent, RenewalPorts } from './ports.ts';
import { holdCard, notRenewable, standingOf } from './renewable.ts';

/**
 * The device has stored the certificate: those before it in its container are superseded, in the same transaction, and the
 * CA is told. Idempotent. @returns the ids of those that were superseded now.
 * @throws DomainError `not-found`; `card-not-active`, `certificate-not-renewable` (conflict).
 */
export async function confirmRenewal(
  ports: RenewalPorts,
  intent: DeviceIntent,
  cardId: string,
  certificateId: string,
): Promise<readonly string[]> {
  const { unitOfWork, revocations, audit } = ports;
  const superseded = await unitOfWork.run(async (tx) => {
    const card = await holdCard(ports, tx, intent, cardId);
    const standing = await standingOf(ports, tx, cardId);
    const at = standing.findIndex(({ id }) => id === certificateId);
    const confirmed = standing[at];
    if (confirmed?.status !== 'active') throw notRenewable();
    const older = standing.slice(0, at).filter(({ container }) => container === confirmed.container);
    for (const certificate of older) {
      const comment = 'renewed: the device has stored the next one';
      await revocations.propose(tx, intent, certificate, { reason: 'superseded', comment });
    }
    if (older.length > 0) {
      await audit.record(tx, intent, {
        action: 'certificate.renewed',
        object: { kind: 'certificate', id: certificateId },
        about: { certificateId, cardId, deviceId: card.deviceId, personId: card.personId },
        after: { container: confirmed.container, supersedes: older.map(({ id }) => id) },
      });
    }
    return older.map(({ id }) => id);
  });
  await revocations.confirmAll(intent, superseded);
  return superseded;
}
