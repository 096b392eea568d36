import type { PrismaClient, Revocation as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Revocations } from './ports.ts';
import type { Revocation, RevocationReason, RevocationState, Telling } from './revocation.ts';

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
      const data = { state: 'confirmed', revokedAt, confirmedAt, nextAttemptAt: null };
      await clientOf(tx).revocation.update({ where: { id }, data });
    },

    async noteFailure(id, failure) {
      await prisma.revocation.updateMany({ where: { id, state: 'proposed' }, data: columnsOf(failure) });
    },
  };
}

/** The same columns stand in both tables of what a CA is told. */
export function columnsOf({ attempts, error, nextAttemptAt }: Parameters<Revocations['noteFailure']>[1]) {
  const { code, detail, refused } = error;
  return { attempts, nextAttemptAt, lastError: code, lastErrorDetail: detail, refused };
}

export function tellingOf(row: {
  readonly attempts: number;
  readonly lastError: string | null;
  readonly lastErrorDetail: string | null;
  readonly refused: boolean;
  readonly nextAttemptAt: Date | null;
}): Telling {
  const { attempts, lastError: code, lastErrorDetail: detail, refused, nextAttemptAt } = row;
  return { attempts, nextAttemptAt, lastError: code === null ? null : { code, detail: detail ?? '', refused } };
}

export function toRevocation(row: Row): Revocation {
  const { id, certificateId, comment, ticket, requestId, revokedAt, invalidityDate, createdAt, confirmedAt } = row;
  return {
    ...{ id, certificateId, comment, ticket, requestId, revokedAt, invalidityDate, createdAt, confirmedAt },
    ...tellingOf(row),
    state: row.state as RevocationState,
    reason: row.reason as RevocationReason,
    requestedBy: { id: row.requestedById, name: row.requestedByName },
  };
}
