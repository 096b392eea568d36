import { join } from 'node:path';
import { type Cluster, startPostgres } from '../database/cluster.ts';
import { migrate } from '../database/migrate.ts';
import { ensureOwnDatabase } from '../database/owner.ts';
import { databaseName, ensureRoles, roleNames, ZONE_NAMES, type Zone, zoneUrl } from '../database/roles.ts';
import { keptSecret, writePrivateFile } from '../processes/private-file.ts';
import type { DataDirectory } from './data-directory.ts';

const DATABASE = 'cardwright';

export interface SystemDatabase {
  /** Null with a PostgreSQL of the user's. */
  readonly cluster: Cluster | null;
  readonly ownerUrl: string;
  readonly urls: Readonly<Record<Zone, string>>;
}

export interface DatabaseOptions {
  readonly data: DataDirectory;
  /** The owner's URL of a PostgreSQL of the user's; undefined starts the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly durable: boolean;
}

/** Gives a running PostgreSQL, embedded or the user's; nothing in it is touched yet. */
export async function openDatabase(options: DatabaseOptions): Promise<SystemDatabase> {
  const { data, databaseUrl } = options;
  if (databaseUrl !== undefined) return { cluster: null, ownerUrl: databaseUrl, urls: urlsOf(data, databaseUrl) };
  const cluster = await startCluster(options);
  try {
    const ownerUrl = await ensureOwnDatabase({
      superuserUrl: cluster.superuserUrl('postgres'),
      database: DATABASE,
      ownerPassword: keptSecret(join(data.secrets, 'database-owner')),
    });
    return { cluster, ownerUrl, urls: urlsOf(data, ownerUrl) };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Starts the embedded cluster, on a given port when its clients already know one. */
export function startCluster(options: DatabaseOptions, port?: number): Promise<Cluster> {
  return startPostgres({
    directory: options.data.postgres,
    superuserPassword: keptSecret(join(options.data.secrets, 'database-superuser')),
    logFile: join(options.data.logs, 'postgres.log'),
    durable: options.durable,
    ...(port === undefined ? {} : { port }),
  });
}

/** Roles, migrations, rights. Gives the names of the migrations that were applied. */
export async function prepareDatabase(data: DataDirectory, ownerUrl: string): Promise<readonly string[]> {
  const roles = roleNames(databaseName(ownerUrl));
  const writeSql = (sql: string) => {
    const file = join(data.secrets, 'database-roles.sql');
    writePrivateFile(file, sql);
    return file;
  };
  await ensureRoles({ ownerUrl, roles, passwords: passwordsOf(data), writeSql });
  return migrate({ ownerUrl, roles });
}

function passwordsOf(data: DataDirectory): Record<Zone, string> {
  const entries = ZONE_NAMES.map((zone) => [zone, keptSecret(join(data.secrets, `database-${zone}`))] as const);
  return Object.fromEntries(entries) as Record<Zone, string>;
}

function urlsOf(data: DataDirectory, ownerUrl: string): Record<Zone, string> {
  const [roles, passwords] = [roleNames(databaseName(ownerUrl)), passwordsOf(data)];
  const entries = ZONE_NAMES.map((zone) => [zone, zoneUrl(ownerUrl, roles[zone], passwords[zone])] as const);
  return Object.fromEntries(entries) as Record<Zone, string>;
}
