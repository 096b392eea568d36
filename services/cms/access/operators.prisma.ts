import type { PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Operator, OperatorAdministration, OperatorRecords } from './ports.ts';
import { isRole } from './roles.ts';

export function createOperatorRecords(prisma: PrismaClient): OperatorRecords & OperatorAdministration {
  return {
    async findForSignIn(name) {
      const row = await prisma.operator.findUnique({ where: { name } });
      if (row === null || row.disabledAt !== null) return null;
      return { ...toOperator(row), passwordHash: row.passwordHash };
    },
    async openSession(tx, session) {
      await clientOf(tx).operatorSession.create({ data: { ...session, tokenHash: Buffer.from(session.tokenHash) } });
    },
    async closeSession(tx, tokenHash) {
      const { count } = await clientOf(tx).operatorSession.deleteMany({ where: { tokenHash: Buffer.from(tokenHash) } });
      return count > 0;
    },
    async dropEndedSessions(now) {
      const { count } = await prisma.operatorSession.deleteMany({ where: { expiresAt: { lt: now } } });
      return count;
    },
    async find(tx, name) {
      const row = await clientOf(tx).operator.findUnique({ where: { name } });
      return row === null ? null : toOperator(row);
    },
    async create(tx, operator) {
      await clientOf(tx).operator.create({ data: operator });
    },
    async change(tx, { id, displayName, role }) {
      await clientOf(tx).operator.update({ where: { id }, data: { displayName, role } });
    },
    async setPassword(tx, operatorId, passwordHash) {
      await clientOf(tx).operator.update({ where: { id: operatorId }, data: { passwordHash } });
      await clientOf(tx).operatorSession.deleteMany({ where: { operatorId } });
    },
    async setToken(tx, operatorId, tokenHash, at) {
      await clientOf(tx).apiToken.deleteMany({ where: { operatorId } });
      await clientOf(tx).apiToken.create({ data: { tokenHash: Buffer.from(tokenHash), operatorId, createdAt: at } });
    },
  };
}

function toOperator(row: { id: string; name: string; displayName: string; role: string }): Operator {
  const { id, name, displayName, role } = row;
  if (!isRole(role)) throw new Error(`the operator ${id} has a role that does not exist`);
  return { id, name, displayName, role };
}
