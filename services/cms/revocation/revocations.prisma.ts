import type { PrismaClient, Revocation as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Revocations } from './ports.ts';
import type { Revocation, RevocationReason, RevocationState } from './revocation.ts';

export function createRevocationRecords(prisma: PrismaClient): Revocations {
  return {
    async insert(tx, { requestedBy, ...revocation }) {
      await clientOf(tx).revocation.create({
        data: { ...revocation, state: 'proposed', requestedById: requestedBy.id, requestedByName: requestedBy.name },
      });
    },

    async find(certificateId) {
      const row = await prisma.revocation.findUnique({ where: { certificateId } });
      return row === null ? null : toRevocation(row);
    },

    async findIn(tx, certificateId) {
      const row = await clientOf(tx).revocation.findUnique({ where: { certificateId } });
      return row === null ? null : toRevocation(row);
    },

    async confirm(tx, id, revokedAt, confirmedAt) {
      await clientOf(tx).revocation.update({ where: { id }, data: { state: 'confirmed', revokedAt, confirmedAt } });
    },

    async proposedBefore(before, limit) {
      const rows = await prisma.revocation.findMany({
        where: { state: 'proposed', createdAt: { lt: before } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { certificateId: true },
      });
      return rows.map((row) => row.certificateId);
    },
  };
}

function toRevocation({ requestedById, requestedByName, ...row }: Row): Revocation {
  return {
    ...row,
    state: row.state as RevocationState,
    reason: row.reason as RevocationReason,
    requestedBy: { id: requestedById, name: requestedByName },
  };
}
