import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { DeviceTokens } from './ports.ts';

export function createDeviceTokens(): DeviceTokens {
  return {
    async spend(tx, { deviceId, jti, expiresAt }, now) {
      const client = clientOf(tx);
      await client.deviceAssertion.deleteMany({ where: { deviceId, expiresAt: { lte: now } } });
      // The key of the table decides between two at once.
      const data = [{ deviceId, jti, expiresAt }];
      return (await client.deviceAssertion.createMany({ data, skipDuplicates: true })).count === 1;
    },

    async put(tx, { tokenHash, deviceId, expiresAt }, now) {
      const client = clientOf(tx);
      await client.deviceAccessToken.deleteMany({ where: { deviceId, expiresAt: { lte: now } } });
      await client.deviceAccessToken.create({ data: { tokenHash: Uint8Array.from(tokenHash), deviceId, expiresAt } });
    },
  };
}
