import type { Prisma, PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import { toSession } from './row.ts';
import type { CardApprovals, WaitingRequest } from './self-service-ports.ts';

/** A card has one request that waits, and a person a few cards. */
const MAX_WAITING = 50;

const withCard = {
  card: { include: { person: true, device: true, profile: true } },
} satisfies Prisma.UnblockSessionInclude;
type Row = Prisma.UnblockSessionGetPayload<{ include: typeof withCard }>;

export function createCardApprovals(prisma: PrismaClient): CardApprovals {
  const ofDevice = { origin: 'device' };
  return {
    async waitingOfPerson(personId) {
      const rows = await prisma.unblockSession.findMany({
        where: { ...ofDevice, state: { in: ['requested', 'open'] }, card: { personId } },
        orderBy: { id: 'desc' },
        take: MAX_WAITING,
        include: withCard,
      });
      return rows.map(toWaiting);
    },

    async waiting(id) {
      const row = await prisma.unblockSession.findFirst({ where: { id, ...ofDevice }, include: withCard });
      return row === null ? null : toWaiting(row);
    },

    async put(tx, unblockSessionId, cardId, { nonce, expiresAt }) {
      const bytes = Uint8Array.from(nonce);
      await clientOf(tx).cardApproval.upsert({
        where: { unblockSessionId_cardId: { unblockSessionId, cardId } },
        create: { unblockSessionId, cardId, nonce: bytes, expiresAt },
        update: { nonce: bytes, expiresAt },
      });
    },

    async take(tx, sessionId, cardId) {
      const rows = await clientOf(tx).$queryRaw<{ nonce: Uint8Array; expires_at: Date }[]>`
        DELETE FROM card_approvals WHERE unblock_session_id = ${sessionId}::uuid AND card_id = ${cardId}::uuid
        RETURNING nonce, expires_at`;
      const [row] = rows;
      return row === undefined ? null : { nonce: new Uint8Array(row.nonce), expiresAt: row.expires_at };
    },

    async dropExpired(now) {
      return (await prisma.cardApproval.deleteMany({ where: { expiresAt: { lte: now } } })).count;
    },
  };
}

function toWaiting({ card, ...session }: Row): WaitingRequest {
  return {
    session: toSession(session),
    card: { id: card.id, serial: card.serial, personId: card.personId },
    hostName: card.device?.hostName ?? '',
    person: { displayName: card.person.displayName },
    selfServiceUnblock: card.profile?.selfServiceUnblock ?? false,
  };
}
