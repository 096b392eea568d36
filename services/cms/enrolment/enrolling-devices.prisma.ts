import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { Prisma } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { EnrollingDevices } from './ports.ts';

/** What the token's holder says of the device is recorded as said: nothing of it is proven before attestation. */
export function createEnrollingDevices(deps: {
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}): EnrollingDevices {
  return {
    async findByToken(tx, tokenHash) {
      return clientOf(tx).device.findUnique({
        where: { tokenHash: Uint8Array.from(tokenHash) },
        select: { id: true, storageKeyName: true },
      });
    },

    async register(tx, intent, tokenHash, { hostName, platform, storageKeyName, tpm }) {
      const id = deps.runtime.newId();
      const createdAt = deps.runtime.now();
      await clientOf(tx).device.create({
        data: {
          id,
          hostName,
          platform,
          storageKeyName,
          tokenHash: Uint8Array.from(tokenHash),
          tpm: tpm === null ? Prisma.DbNull : { ...tpm },
          createdAt,
          lastSeenAt: createdAt,
        },
      });
      await deps.audit.record(tx, intent, {
        action: 'device.registered',
        object: { kind: 'device', id },
        about: { deviceId: id },
        after: { hostName, platform, storageKeyName, tpm },
      });
      return { id };
    },
  };
}
