import { Prisma, type PrismaClient, type CardImport as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { CardImport, PlannedCard } from './import.ts';
import type { CardImports } from './ports.ts';

export function createCardImports(prisma: PrismaClient): CardImports {
  return {
    async find(id) {
      const row = await prisma.cardImport.findUnique({ where: { id } });
      return row === null ? null : toImport(row);
    },
    async lock(tx, id) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM card_imports WHERE id = ${id}::uuid FOR UPDATE`;
      const row = await client.cardImport.findUnique({ where: { id } });
      return row === null ? null : toImport(row);
    },
    async propose(tx, { plan, report, createdBy, ...rest }) {
      const client = clientOf(tx);
      await client.cardImport.deleteMany({ where: { id: rest.id, state: 'refused' } });
      const json = (value: unknown) => (value === null ? Prisma.DbNull : (value as Prisma.InputJsonValue));
      const data = {
        ...rest,
        plan: json(plan),
        report: json(report),
        createdById: createdBy.id,
        createdByName: createdBy.name,
      };
      return (await client.cardImport.createMany({ data: [data], skipDuplicates: true })).count === 1;
    },
    async finish(tx, id, state, report, finishedAt) {
      const data = { state, report: report as unknown as Prisma.InputJsonValue, plan: Prisma.DbNull, finishedAt };
      await clientOf(tx).cardImport.update({ where: { id }, data });
    },
    async insertCards(tx, plan, at) {
      if (plan.length === 0) return [];
      const client = clientOf(tx);
      const data = plan.map((planned) => toCardRow(planned, at));
      const { count } = await client.card.createMany({ data, skipDuplicates: true });
      if (count === plan.length) return [];
      const rows = await client.card.findMany({
        where: { id: { in: data.map(({ id }) => id) } },
        select: { id: true },
      });
      const inserted = new Set(rows.map(({ id }) => id));
      return plan.flatMap(({ line, card }) => (inserted.has(card.id) ? [] : [line]));
    },
    async proposedBefore(before, take) {
      const where = { state: 'proposed', createdAt: { lt: before } };
      const rows = await prisma.cardImport.findMany({
        where,
        orderBy: { createdAt: 'asc' },
        take,
        select: { id: true },
      });
      return rows.map(({ id }) => id);
    },
  };
}

function toCardRow({ card, jwe, origin, takeOver = false }: PlannedCard, at: Date) {
  const keyVersion = jwe === null && origin === null ? null : 1;
  const state = takeOver ? 'created' : 'active';
  const times = { createdAt: at, stateChangedAt: at, keySetAt: at };
  return { ...card, kind: 'minidriver', state, keyVersion, takeOverPending: takeOver, ...times };
}

// Written by this file alone.
function toImport({ plan, report, createdById, createdByName, state, ...row }: Row): CardImport {
  return {
    ...row,
    state: state as CardImport['state'],
    plan: plan as unknown as CardImport['plan'],
    report: report as unknown as CardImport['report'],
    createdBy: { id: createdById, name: createdByName },
  };
}
