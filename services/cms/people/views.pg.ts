import type pg from 'pg';
import { Where } from '../platform/query.pg.ts';
import { normalisePrincipalName, type Person } from './person.ts';
import type { PersonViews } from './ports.ts';

const SELECT = `SELECT id, display_name AS "displayName", user_principal_name AS "userPrincipalName", email,
  organization, security_identifier AS "securityIdentifier", kerberos_principal AS "kerberosPrincipal", version,
  created_at AS "createdAt" FROM people`;

export function createPersonViews(pool: pg.Pool): PersonViews {
  return {
    async find(personId) {
      const { rows } = await pool.query<Person>({
        name: 'person-find',
        text: `${SELECT} WHERE id = $1`,
        values: [personId],
      });
      return rows[0] ?? null;
    },
    async list({ q, userPrincipalName }, after, limit) {
      const where = new Where()
        .contains(`lower(display_name || ' ' || user_principal_name)`, q)
        .and(userPrincipalName && normalisePrincipalName(userPrincipalName), (p) => `user_principal_name = ${p}`)
        .and(after, (p) => `id < ${p}::uuid`);
      const { rows } = await pool.query<Person>(`${SELECT} ${where} ORDER BY id DESC LIMIT ${limit}`, where.values);
      return rows;
    },
  };
}
