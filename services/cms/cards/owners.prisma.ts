import type { PrismaClient } from '../platform/generated/client.ts';
import type { CardOwners } from './ports.ts';

export function createCardOwners(prisma: PrismaClient): CardOwners {
  return {
    personExists: async (id) => (await prisma.person.count({ where: { id } })) === 1,
    deviceExists: async (id) => (await prisma.device.count({ where: { id } })) === 1,
  };
}
