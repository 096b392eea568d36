import type { Tx } from '../kernel/unit-of-work.ts';
import type { PrismaClient, Task as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { TaskRecords, TaskView } from './ports.ts';
import { TASK_KINDS, TASK_STATES, type Task, type TaskFailure, type TaskWork } from './task.ts';

const OPEN = ['queued', 'delivered'];
const IN_USE = ['requested', 'created', 'active', 'blocked', 'suspended'];
const withCard = { card: { select: { id: true, serial: true, kind: true } } } as const;
type ViewRow = Row & { card: { id: string; serial: string; kind: string } | null };

export function createTaskRecords(prisma: PrismaClient): TaskRecords {
  async function openOf(tx: Tx, ids: readonly { id: string }[]): Promise<ViewRow[]> {
    const where = { id: { in: ids.map(({ id }) => id) } };
    return clientOf(tx).task.findMany({ where, orderBy: { id: 'asc' }, include: withCard });
  }

  return {
    async insert(tx, { work: { kind, ...payload }, createdBy, ...task }) {
      await clientOf(tx).task.create({
        data: { ...task, kind, payload, state: 'queued', createdById: createdBy.id, createdByName: createdBy.name },
      });
    },

    async find(id) {
      const row = await prisma.task.findUnique({ where: { id }, include: withCard });
      return row === null ? null : toView(row);
    },

    async lock(tx, id) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM tasks WHERE id = ${id}::uuid FOR UPDATE`;
      const row = await client.task.findUnique({ where: { id } });
      return row === null ? null : toTask(row);
    },

    async lockOpenOfDevice(tx, deviceId, limit) {
      const held = await clientOf(tx).$queryRaw<{ id: string }[]>`SELECT id FROM tasks
        WHERE device_id = ${deviceId}::uuid AND state IN ('queued', 'delivered') ORDER BY id LIMIT ${limit} FOR UPDATE`;
      return (await openOf(tx, held)).map(toView);
    },

    async lockOpenOfCard(tx, cardId) {
      const held = await clientOf(tx).$queryRaw<{ id: string }[]>`SELECT id FROM tasks
        WHERE card_id = ${cardId}::uuid AND state IN ('queued', 'delivered') ORDER BY id FOR UPDATE`;
      return (await openOf(tx, held)).map(toTask);
    },

    async change(tx, id, { failure, ...change }) {
      const result = failure === undefined ? {} : { result: { ...failure } };
      await clientOf(tx).task.update({ where: { id }, data: { ...change, ...result, version: { increment: 1 } } });
    },

    async listOfDevice(deviceId, after, limit) {
      const rows = await prisma.task.findMany({
        where: { deviceId, ...(after === null ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: limit,
        include: withCard,
      });
      return rows.map(toView);
    },

    async countOpenMessages(tx, deviceId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM devices WHERE id = ${deviceId}::uuid FOR NO KEY UPDATE`;
      return client.task.count({ where: { deviceId, kind: 'message', state: { in: OPEN } } });
    },

    async deviceExists(id) {
      return (await prisma.device.count({ where: { id } })) === 1;
    },

    async holdCard(tx, cardId) {
      await clientOf(tx).$queryRaw`SELECT 1 FROM cards WHERE id = ${cardId}::uuid FOR UPDATE`;
    },

    async lockCardOfDevice(tx, cardId, deviceId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM cards WHERE id = ${cardId}::uuid FOR UPDATE`;
      return (await client.card.count({ where: { id: cardId, deviceId, state: { in: IN_USE } } })) === 1;
    },
  };
}

function toTask(row: Row): Task {
  const { id, deviceId, cardId, attempts, createdAt, deliveredAt, finishedAt } = row;
  const state = TASK_STATES.find((known) => known === row.state);
  if (state === undefined) throw new Error(`task ${id} is in no state that is known: ${row.state}`);
  return {
    ...{ id, deviceId, cardId, state, attempts, createdAt, deliveredAt, finishedAt },
    work: toWork(row),
    failure: row.result === null ? null : (row.result as unknown as TaskFailure),
    createdBy: { id: row.createdById, name: row.createdByName },
  };
}

function toWork({ id, kind: name, payload }: Row): TaskWork {
  const kind = TASK_KINDS.find((known) => known === name);
  if (kind === undefined) throw new Error(`task ${id} is of no kind that is known: ${name}`);
  if (kind !== 'message') return { kind };
  const text = payload instanceof Object && 'text' in payload ? payload.text : undefined;
  if (typeof text !== 'string') throw new Error(`task ${id} is a message without text`);
  return { kind, text };
}

function toView({ card, ...row }: ViewRow): TaskView {
  const shown =
    card === null ? null : { ...card, kind: card.kind === 'tpm' ? ('tpm' as const) : ('minidriver' as const) };
  return { ...toTask(row), card: shown };
}
