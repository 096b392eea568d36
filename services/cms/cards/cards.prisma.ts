import { DomainError } from '@cardwright/protocol';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Card } from './card.ts';
import { cardUnknown } from './move-card.ts';
import type { CardRecords } from './ports.ts';
import { toCard } from './row.ts';

export function createCardRecords(): CardRecords {
  return {
    async lock(tx, cardId): Promise<Card | null> {
      const client = clientOf(tx);
      const held = await client.$queryRaw<unknown[]>`SELECT 1 FROM cards WHERE id = ${cardId}::uuid FOR UPDATE`;
      if (held.length === 0) return null;
      const row = await client.card.findUnique({ where: { id: cardId } });
      return row === null ? null : toCard({ ...row, nvIndex: row.nvIndex === null ? null : Number(row.nvIndex) });
    },

    async insert(tx, card) {
      const { nvIndex, ...rest } = card;
      // Not create(): its failure would not say which unique index it was.
      const client = clientOf(tx);
      const taken = await client.card.findUnique({ where: { serial: card.serial }, select: { id: true } });
      if (taken !== null) {
        throw new DomainError(
          'conflict',
          'card-serial-taken',
          'Another card has this serial. Look for it before you register it again.',
        );
      }
      const { count } = await client.card.createMany({
        data: [{ ...rest, stateChangedAt: card.createdAt, nvIndex: nvIndex === null ? null : BigInt(nvIndex) }],
        skipDuplicates: true,
      });
      if (count === 0) {
        throw new DomainError(
          'conflict',
          'card-already-active',
          'This person has a live card on this device already. Retire that card first.',
        );
      }
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
          state,
          version: { increment: 1 },
        },
      });
    },
  };
}
