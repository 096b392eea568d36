import type { PrismaClient } from '../platform/generated/client.ts';
import type { CardProfileView, ProfileViews } from './ports.ts';

/** Profiles are few, and made by migrations until they can be edited. */
const MAX_PROFILES = 200;

export function createProfileViews(prisma: PrismaClient): ProfileViews {
  return {
    async list() {
      const rows = await prisma.cardProfile.findMany({ orderBy: { name: 'asc' }, take: MAX_PROFILES });
      return rows.map((row) => ({
        name: row.name,
        displayName: row.displayName,
        keyStrategy: row.keyStrategy,
        pinLimit: row.pinLimit,
        pinPolicy: row.pinPolicy as CardProfileView['pinPolicy'],
        containers: row.containers as unknown as CardProfileView['containers'],
      }));
    },
  };
}
