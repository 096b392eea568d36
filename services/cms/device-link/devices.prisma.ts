import type { PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { LinkedDevices } from './ports.ts';

/** A device shows its cards by the hundred at most; the real bound is what a TPM holds. */
const MAX_CARDS = 200;

export function createLinkedDevices(prisma: PrismaClient): LinkedDevices {
  return {
    async cardsOf(deviceId) {
      const rows = await prisma.card.findMany({
        where: { deviceId },
        orderBy: { id: 'desc' },
        take: MAX_CARDS,
        select: {
          id: true,
          serial: true,
          state: true,
          person: { select: { displayName: true, userPrincipalName: true } },
        },
      });
      return rows.map(({ id, serial, state, person }) => ({ cardId: id, cardSerial: serial, state, person }));
    },

    async checkedIn(tx, deviceId, at, { agentVersion, tpm }) {
      const facts = {
        ...(agentVersion === undefined ? {} : { agentVersion }),
        ...(tpm === undefined ? {} : { tpm: { ...tpm } }),
      };
      const data = { lastSeenAt: at, checkedInAt: at, ...facts };
      await clientOf(tx).device.update({ where: { id: deviceId }, data });
    },
  };
}
