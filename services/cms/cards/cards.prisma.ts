import { DomainError } from '@cardwright/protocol';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { PrismaClient } from '../platform/generated/client.ts';
import { clientOf, type PrismaTx } from '../platform/unit-of-work.prisma.ts';
import type { Card } from './card.ts';
import { cardUnknown } from './move-card.ts';
import type { CardRecords, NewCard } from './ports.ts';
import { toCard } from './row.ts';
import type { CardState } from './state.ts';

const LIVE = ['created', 'active', 'blocked', 'suspended'] satisfies CardState[];

const alreadyActive = () =>
  new DomainError(
    'conflict',
    'card-already-active',
    'This person has a live card on this device already. Retire that card first.',
  );

async function demandFree(client: PrismaTx, card: Pick<NewCard, 'serial' | 'personId' | 'deviceId'>): Promise<void> {
  if ((await client.card.count({ where: { serial: card.serial } })) > 0) {
    const detail = 'Another card has this serial. Look for it before you register it again.';
    throw new DomainError('conflict', 'card-serial-taken', detail);
  }
  const { personId, deviceId } = card;
  if (deviceId === null) return;
  if ((await client.card.count({ where: { personId, deviceId, state: { in: LIVE } } })) > 0) throw alreadyActive();
}

export function createCardRecords(prisma: PrismaClient): CardRecords {
  async function lock(tx: Tx, cardId: string): Promise<Card | null> {
    const client = clientOf(tx);
    const held = await client.$queryRaw<unknown[]>`SELECT 1 FROM cards WHERE id = ${cardId}::uuid FOR UPDATE`;
    if (held.length === 0) return null;
    const row = await client.card.findUnique({ where: { id: cardId } });
    return row === null ? null : toCard({ ...row, nvIndex: row.nvIndex === null ? null : Number(row.nvIndex) });
  }

  return {
    lock,

    async lockBySerial(tx, serial) {
      const found = await clientOf(tx).card.findUnique({ where: { serial }, select: { id: true } });
      return found === null ? null : lock(tx, found.id);
    },

    async insert(tx, card) {
      const client = clientOf(tx);
      await demandFree(client, card);
      const { nvIndex, ...rest } = card;
      // Not create(): a failed statement ends the transaction, and does not say which unique index it was.
      const { count } = await client.card.createMany({
        data: [
          {
            ...rest,
            stateChangedAt: card.createdAt,
            keySetAt: card.createdAt,
            nvIndex: nvIndex === null ? null : BigInt(nvIndex),
          },
        ],
        skipDuplicates: true,
      });
      if (count === 0) {
        // Another request was faster. Its row can be seen now: READ COMMITTED reads anew in each statement.
        await demandFree(client, card);
        throw alreadyActive();
      }
    },

    async remove(tx, cardId) {
      await clientOf(tx).card.delete({ where: { id: cardId } });
    },

    async registrationsBegunBefore(before, limit) {
      const rows = await prisma.card.findMany({
        // A card whose key is in the vault waits for its device, not for us.
        where: { kind: 'minidriver', state: 'created', keyVersion: null, createdAt: { lt: before } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true },
      });
      return rows.map(({ id }) => id);
    },

    async setState(tx, cardId, state, at, change = {}) {
      const { nvIndex, ...rest } = change;
      const client = clientOf(tx);
      const before = await client.card.findUnique({ where: { id: cardId }, select: { state: true } });
      if (before === null) throw cardUnknown();
      await client.card.update({
        where: { id: cardId },
        data: {
          ...rest,
          ...(nvIndex === undefined ? {} : { nvIndex: BigInt(nvIndex) }),
          ...(before.state === state ? {} : { stateChangedAt: at }),
          ...(change.keyVersion === undefined ? {} : { keySetAt: at }),
          state,
          version: { increment: 1 },
        },
      });
    },
  };
}
