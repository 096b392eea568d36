import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import pg from 'pg';

/** The trust zones that have a role of their own in the database. */
export const ZONE_NAMES = ['cms', 'vault', 'ca'] as const;
export type Zone = (typeof ZONE_NAMES)[number];
export type RoleNames = Readonly<Record<Zone, string>>;
export type RolePasswords = Readonly<Record<Zone, string>>;

/** Roles belong to a whole cluster, so they are named after the database that they are for. */
export function roleNames(database: string): RoleNames {
  return { cms: `${database}_cms`, vault: `${database}_vault`, ca: `${database}_ca` };
}

/** The URL with which one zone signs in: the owner's, with another user. Holds a password: never print it. */
export function zoneUrl(ownerUrl: string, role: string, password: string): string {
  const url = new URL(ownerUrl);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.toString();
}

export function databaseName(ownerUrl: string): string {
  return decodeURIComponent(new URL(ownerUrl).pathname.slice(1));
}

/**
 * Makes the login roles that are missing, and sets the password of those that we can't sign in as. Needs CREATEROLE only
 * then. Error: `database-role-missing` (forbidden), whose detail says which file holds the SQL that an administrator of
 * the database must run (`writeSql` writes it, mode 0600, and gives its path).
 */
export async function ensureRoles(options: {
  readonly ownerUrl: string;
  readonly roles: RoleNames;
  readonly passwords: RolePasswords;
  readonly writeSql: (sql: string) => string;
}): Promise<void> {
  const { ownerUrl, roles, passwords } = options;
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  const database = databaseName(ownerUrl);
  const missing: Zone[] = [];
  const sql: string[] = [];
  try {
    for (const zone of ZONE_NAMES) {
      const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [roles[zone]]);
      const exists = rowCount !== 0;
      if (exists && (await canSignIn(zoneUrl(ownerUrl, roles[zone], passwords[zone])))) continue;
      missing.push(zone);
      sql.push(...roleStatements(exists ? 'ALTER' : 'CREATE', database, roles[zone], passwords[zone]));
    }
    for (const statement of sql) await client.query(statement);
  } catch (cause) {
    if ((cause as { code?: string }).code !== '42501') throw cause; // insufficient_privilege
    const file = options.writeSql(`${sql.map((statement) => `${statement};`).join('\n')}\n`);
    const user = decodeURIComponent(new URL(ownerUrl).username);
    throw new DomainError(
      'forbidden',
      'database-role-missing',
      `The user ${user} of DATABASE_URL may not make the roles ${missing.map((zone) => roles[zone]).join(', ')} (${(cause as Error).message}). ` +
        `Either let it: ALTER ROLE ${pg.escapeIdentifier(user)} CREATEROLE; ` +
        `or have an administrator run the statements in ${file} (psql -d ${database} -f ${file}). Then start again.`,
      { cause },
    );
  } finally {
    await client.end();
  }
}

function roleStatements(verb: 'CREATE' | 'ALTER', database: string, role: string, password: string): string[] {
  const name = pg.escapeIdentifier(role);
  return [
    `${verb} ROLE ${name} LOGIN NOINHERIT PASSWORD ${pg.escapeLiteral(scramVerifier(password))}`,
    `GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${name}`,
  ];
}

async function canSignIn(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined); // what matters is whether connect() succeeds
  try {
    await client.connect();
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (code.startsWith('28')) return false; // invalid_authorization_specification, invalid_password
    if (code === '42501') return false; // known, but may not connect to this database
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * The form in which PostgreSQL keeps a SCRAM-SHA-256 password (RFC 5803, RFC 7677), computed here so that the password
 * itself is never in a statement, and so in no statement log of the server.
 */
export function scramVerifier(password: string, salt: Uint8Array = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (label: string) => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(key('Client Key')).digest('base64');
  const serverKey = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`;
}
