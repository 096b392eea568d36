import pg from 'pg';
import { scramVerifier } from './roles.ts';

/**
 * Makes, in the embedded cluster, the role that owns the product's database, and the database. The owner may make roles
 * and is no superuser: the embedded cluster and a PostgreSQL of the user's then go the same way. Gives the owner's URL.
 */
export async function ensureOwnDatabase(options: {
  readonly superuserUrl: string;
  readonly database: string;
  readonly ownerPassword: string;
}): Promise<string> {
  const client = new pg.Client({ connectionString: options.superuserUrl });
  await client.connect();
  const name = pg.escapeIdentifier(options.database);
  try {
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [options.database]);
    if (role.rowCount === 0) {
      const verifier = pg.escapeLiteral(scramVerifier(options.ownerPassword));
      await client.query(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD ${verifier}`);
    }
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [options.database]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${name} OWNER ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(options.superuserUrl);
  url.username = encodeURIComponent(options.database);
  url.password = encodeURIComponent(options.ownerPassword);
  url.pathname = `/${encodeURIComponent(options.database)}`;
  return url.toString();
}
