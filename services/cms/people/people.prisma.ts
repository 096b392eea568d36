import { DomainError } from '@cardwright/protocol';
import { Prisma } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { PersonRecords, UniqueName } from './ports.ts';

export function createPersonRecords(): PersonRecords {
  return {
    async insert(tx, person) {
      const { count } = await clientOf(tx).person.createMany({ data: [person], skipDuplicates: true });
      return count === 1;
    },

    async lock(tx, id) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM people WHERE id = ${id}::uuid FOR UPDATE`;
      return await client.person.findUnique({ where: { id } });
    },

    async update(tx, { id, version, createdAt: _, ...names }) {
      try {
        await clientOf(tx).person.update({ where: { id }, data: { ...names, version: version + 1 } });
      } catch (error) {
        if (!(error instanceof Prisma.PrismaClientKnownRequestError) || error.code !== 'P2002') throw error;
        const detail = 'Somebody else has just got one of these names. Look them up by it.';
        throw new DomainError('conflict', 'person-exists', detail, { cause: error });
      }
    },

    async takenName(tx, personId, { userPrincipalName, securityIdentifier, kerberosPrincipal }) {
      const principal = kerberosPrincipal?.toLowerCase() ?? userPrincipalName;
      const rows = await clientOf(tx).$queryRaw<{ name: UniqueName }[]>`
        SELECT CASE WHEN user_principal_name = ${userPrincipalName} THEN 'userPrincipalName'
          WHEN security_identifier = ${securityIdentifier} THEN 'securityIdentifier' ELSE 'kerberosPrincipal' END AS name
        FROM people WHERE id <> ${personId}::uuid AND (user_principal_name = ${userPrincipalName}
          OR security_identifier = ${securityIdentifier}
          OR COALESCE(lower(kerberos_principal), user_principal_name) = ${principal}) LIMIT 1`;
      return rows[0]?.name ?? null;
    },
  };
}
