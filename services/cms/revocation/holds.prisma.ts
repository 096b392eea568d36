import type { PrismaClient, CertificateHold as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Hold, HoldAct, HoldState } from './hold.ts';
import type { Holds } from './ports.ts';
import { columnsOf, tellingOf } from './revocations.prisma.ts';

/** Of one certificate, at most. */
const MAX_SHOWN = 100;

export function createHoldRecords(prisma: PrismaClient): Holds {
  return {
    async insert(tx, { requestedBy, ...hold }) {
      await clientOf(tx).certificateHold.create({
        data: { ...hold, state: 'proposed', requestedById: requestedBy.id, requestedByName: requestedBy.name },
      });
    },

    async ofCertificate(certificateId) {
      const rows = await prisma.certificateHold.findMany({
        where: { certificateId },
        orderBy: { id: 'desc' },
        take: MAX_SHOWN,
      });
      return rows.map(toHold);
    },

    async open(certificateId) {
      const row = await prisma.certificateHold.findFirst({ where: { certificateId, state: 'proposed' } });
      return row === null ? null : toHold(row);
    },

    async openIn(tx, certificateId) {
      const row = await clientOf(tx).certificateHold.findFirst({ where: { certificateId, state: 'proposed' } });
      return row === null ? null : toHold(row);
    },

    async latestIn(tx, certificateId, act) {
      const row = await clientOf(tx).certificateHold.findFirst({
        where: { certificateId, act },
        orderBy: { id: 'desc' },
      });
      return row === null ? null : toHold(row);
    },

    async settle(tx, id, to) {
      await clientOf(tx).certificateHold.update({ where: { id }, data: { ...to, nextAttemptAt: null } });
    },

    async noteFailure(id, failure) {
      await prisma.certificateHold.updateMany({ where: { id, state: 'proposed' }, data: columnsOf(failure) });
    },
  };
}

function toHold(row: Row): Hold {
  const { id, certificateId, comment, ticket, requestId, takesEffectAt, createdAt, confirmedAt } = row;
  return {
    ...{ id, certificateId, comment, ticket, requestId, takesEffectAt, createdAt, confirmedAt },
    ...tellingOf(row),
    act: row.act as HoldAct,
    state: row.state as HoldState,
    requestedBy: { id: row.requestedById, name: row.requestedByName },
  };
}
