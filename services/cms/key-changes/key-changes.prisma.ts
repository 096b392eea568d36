import { DomainError } from '@cardwright/protocol';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Prisma, PrismaClient, KeyChange as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import { CHANGE_CAUSES, CHANGE_KINDS, CHANGE_STATES, type KeyChange, type KeyOffer } from './key-change.ts';
import type { DeviceKeys, KeyChangeRecords } from './ports.ts';

const OPEN = ['requested', 'offered'];

export function createKeyChangeRecords(prisma: PrismaClient): KeyChangeRecords & DeviceKeys {
  async function first(tx: Tx, where: Prisma.KeyChangeWhereInput): Promise<KeyChange | null> {
    const row = await clientOf(tx).keyChange.findFirst({ where, orderBy: { id: 'desc' } });
    return row === null ? null : toChange(row);
  }

  return {
    async insert(tx, { requestedBy, ...change }) {
      const data = { ...change, state: 'requested', requestedById: requestedBy.id, requestedByName: requestedBy.name };
      const { count } = await clientOf(tx).keyChange.createMany({ data: [data], skipDuplicates: true });
      if (count === 1) return;
      throw new DomainError('conflict', 'key-change-open', 'A change of this card’s key is under way already.');
    },

    async find(id) {
      const row = await prisma.keyChange.findUnique({ where: { id } });
      return row === null ? null : toChange(row);
    },

    async findByTask(taskId) {
      const row = await prisma.keyChange.findUnique({
        where: { taskId },
        include: { task: { select: { deviceId: true } } },
      });
      return row === null ? null : { change: toChange(row), deviceId: row.task.deviceId };
    },

    read: (tx, id) => first(tx, { id }),
    readByTask: (tx, taskId) => first(tx, { taskId }),
    openOfCard: (tx, cardId) =>
      first(tx, { cardId, OR: [{ state: { in: OPEN } }, { state: 'failed', reportedAt: { not: null } }] }),
    latest: (tx, of) => first(tx, of),
    countRotations: (tx, cardId) =>
      clientOf(tx).keyChange.count({ where: { cardId, kind: 'rotation', state: 'confirmed' } }),

    async update(tx, id, { offer, failure, ...change }) {
      const json = {
        ...(offer === undefined ? {} : { offer: { ...offer } as Prisma.InputJsonObject }),
        ...(failure === undefined ? {} : { failure: { ...failure } }),
      };
      await clientOf(tx).keyChange.update({ where: { id }, data: { ...change, ...json, version: { increment: 1 } } });
    },

    async listOfCard(cardId, after, limit) {
      const rows = await prisma.keyChange.findMany({
        where: { cardId, ...(after === null ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: limit,
      });
      return rows.map(toChange);
    },

    async reportedBefore(before, limit) {
      const rows = await prisma.keyChange.findMany({
        where: { state: { in: ['offered', 'failed'] }, reportedAt: { lt: before } },
        orderBy: { reportedAt: 'asc' },
        take: limit,
        select: { id: true },
      });
      return rows.map(({ id }) => id);
    },

    async storageKeyName(deviceId) {
      const row = await prisma.device.findUnique({ where: { id: deviceId }, select: { storageKeyName: true } });
      return row?.storageKeyName ?? null;
    },
  };
}

function toChange(row: Row): KeyChange {
  const { id, cardId, taskId, fromVersion, toVersion, answers, reason, ticket, createdAt, reportedAt, confirmedAt } =
    row;
  return {
    ...{ id, cardId, taskId, fromVersion, toVersion, answers, reason, ticket, createdAt, reportedAt, confirmedAt },
    kind: member(CHANGE_KINDS, row.kind),
    cause: member(CHANGE_CAUSES, row.cause),
    state: member(CHANGE_STATES, row.state),
    // Written by this file alone.
    offer: row.offer as unknown as KeyOffer | null,
    failure: row.failure as unknown as KeyChange['failure'],
    requestedBy: { id: row.requestedById, name: row.requestedByName },
  };
}

function member<const Values extends readonly string[]>(values: Values, value: string): Values[number] {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`the database has "${value}" where one of ${values.join(', ')} belongs`);
  return found;
}
