import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { PersonRecords } from './ports.ts';

export function createPersonRecords(): PersonRecords {
  return {
    async insert(tx, person) {
      const { count } = await clientOf(tx).person.createMany({ data: [person], skipDuplicates: true });
      return count === 1;
    },
  };
}
