import { Prisma, type PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { SessionChange, SessionFilters, UnblockSessions } from './ports.ts';
import { toSession, toUnblockCard } from './row.ts';

const WAITING = ['requested', 'open'];

export function createUnblockSessions(prisma: PrismaClient): UnblockSessions {
  return {
    async findCard(cardId) {
      const row = await prisma.card.findUnique({ where: { id: cardId } });
      return row === null ? null : toUnblockCard(cardId, row);
    },

    async find(id) {
      const row = await prisma.unblockSession.findUnique({ where: { id }, include: { card: true } });
      return row === null ? null : { session: toSession(row), card: toUnblockCard(row.cardId, row.card) };
    },

    async insert(tx, { openedBy, verification, ...session }) {
      await clientOf(tx).unblockSession.create({
        data: {
          ...session,
          verification: verification === null ? Prisma.DbNull : { ...verification },
          openedById: openedBy?.id ?? null,
          openedByName: openedBy?.name ?? null,
        },
      });
    },

    async lock(tx, id) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM unblock_sessions WHERE id = ${id}::uuid FOR UPDATE`;
      const row = await client.unblockSession.findUnique({ where: { id } });
      return row === null ? null : toSession(row);
    },

    async change(tx, id, change) {
      await clientOf(tx).unblockSession.update({ where: { id }, data: toData(change) });
    },

    async countWrongCode(tx, id) {
      const counted = { data: { wrongCodes: { increment: 1 } }, select: { wrongCodes: true } };
      return (await clientOf(tx).unblockSession.update({ where: { id }, ...counted })).wrongCodes;
    },

    async lockRequestsOfCard(tx, cardId) {
      const client = clientOf(tx);
      // The card's row first: of two requests at once, the later sees the earlier one's session.
      await client.$queryRaw`SELECT 1 FROM cards WHERE id = ${cardId}::uuid FOR UPDATE`;
      await client.$queryRaw`SELECT 1 FROM unblock_sessions WHERE card_id = ${cardId}::uuid AND origin = 'device'
        AND state IN ('requested', 'open') ORDER BY id FOR UPDATE`;
      const rows = await client.unblockSession.findMany({
        where: { cardId, origin: 'device', state: { in: WAITING } },
      });
      return rows.map(toSession);
    },

    async list(filters, now, after, limit) {
      const rows = await prisma.unblockSession.findMany({
        where: { ...filterOf(filters, now), ...(after === null ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: limit,
        include: { card: true },
      });
      return rows.map((row) => ({ session: toSession(row), card: toUnblockCard(row.cardId, row.card) }));
    },

    async responseFor(id) {
      const row = await prisma.unblockSession.findUnique({ where: { id }, select: { response: true } });
      return row?.response ?? null;
    },

    async approvedUnanswered(now, before, limit) {
      const rows = await prisma.unblockSession.findMany({
        where: { origin: 'device', state: 'open', expiresAt: { gt: now }, createdAt: { lt: before } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true },
      });
      return rows.map((row) => row.id);
    },

    async dropExpiredResponses(now) {
      const { count } = await prisma.unblockSession.updateMany({
        where: { response: { not: null }, expiresAt: { lte: now } },
        data: { response: null },
      });
      return count;
    },
  };
}

function toData({ openedBy, verification, dropResponse, ...change }: SessionChange): Prisma.UnblockSessionUpdateInput {
  return {
    ...change,
    ...(openedBy === undefined ? {} : { openedById: openedBy?.id ?? null, openedByName: openedBy?.name ?? null }),
    ...(verification === undefined ? {} : { verification: { ...verification } }),
    ...(dropResponse === true ? { response: null } : {}),
    version: { increment: 1 },
  };
}

function filterOf({ cardId, state }: SessionFilters, now: Date): Prisma.UnblockSessionWhereInput {
  const ofCard = cardId === undefined ? {} : { cardId };
  if (state === undefined) return ofCard;
  if (state === 'expired') return { ...ofCard, state: { in: WAITING }, expiresAt: { lte: now } };
  return { ...ofCard, state, ...(WAITING.includes(state) ? { expiresAt: { gt: now } } : {}) };
}
