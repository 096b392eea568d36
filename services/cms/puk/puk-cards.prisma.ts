import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { PukCards } from './ports.ts';

export function createPukCards(): PukCards {
  return {
    async lock(tx, cardId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM cards WHERE id = ${cardId}::uuid FOR UPDATE`;
      return client.card.findUnique({
        where: { id: cardId },
        select: { id: true, personId: true, deviceId: true, hasPuk: true, pukShownAt: true },
      });
    },
    async setShown(tx, cardId, at) {
      await clientOf(tx).card.update({ where: { id: cardId }, data: { pukShownAt: at, version: { increment: 1 } } });
    },
  };
}
