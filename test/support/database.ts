import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureOwnDatabase,
  ensureRoles,
  migrate,
  type RolePasswords,
  roleNames,
  startPostgres,
  until,
  writePrivateFile,
  ZONE_NAMES,
  type Zone,
  zoneUrl,
} from '@cardwright/infra';
import pg from 'pg';
import { runFolder } from './run-folder.ts';

const TEMPLATE = 'cardwright_template';

/** One PostgreSQL for the whole run, with a migrated database to copy. */
interface TestCluster {
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly passwords: RolePasswords;
}

export interface TestDatabase {
  readonly name: string;
  /** The owner's URL: may do anything, as migrations do. */
  readonly ownerUrl: string;
  /** The URL of each process, with that process's rights only. */
  readonly urls: Readonly<Record<Zone, string>>;
  drop(): Promise<void>;
}

/** A database of the test file's own with all migrations applied: a copy of the template, in some 30 ms. */
export async function testDatabase(): Promise<TestDatabase> {
  const cluster = await sharedCluster();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(cluster, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} OWNER ${TEMPLATE}`);
  const ownerUrl = named(cluster.ownerUrl, name);
  const roles = roleNames(TEMPLATE); // roles belong to the cluster, and the copied rights name the template's
  const url = (zone: Zone) => [zone, zoneUrl(ownerUrl, roles[zone], cluster.passwords[zone])] as const;
  return {
    name,
    ownerUrl,
    urls: Object.fromEntries(ZONE_NAMES.map(url)) as Record<Zone, string>,
    drop: () => onServer(cluster, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** A PostgreSQL "of the user's": an empty database, its owner who may not make roles, and an administrator. */
export interface EmptyDatabase {
  readonly ownerUrl: string;
  asAdministrator(statement: string): Promise<void>;
  drop(): Promise<void>;
}

export async function emptyDatabase(): Promise<EmptyDatabase> {
  const cluster = await sharedCluster();
  const name = `test_${randomBytes(8).toString('hex')}`;
  const password = randomBytes(16).toString('hex');
  await onServer(cluster, `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  await onServer(cluster, `CREATE DATABASE ${name} OWNER ${name}`);
  const superuserUrl = named(cluster.superuserUrl, name);
  return {
    ownerUrl: zoneUrl(superuserUrl, name, password),
    asAdministrator: (statement) => onServer({ superuserUrl }, statement),
    drop: () => onServer(cluster, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** The first worker that asks starts the cluster; the others wait for its file. */
async function sharedCluster(): Promise<TestCluster> {
  const [ready, failed] = [join(runFolder(), 'cluster.json'), join(runFolder(), 'cluster-failed')];
  if (mine(join(runFolder(), 'cluster-starting'))) {
    try {
      writePrivateFile(ready, JSON.stringify(await startCluster()));
    } catch (error) {
      writePrivateFile(failed, String(error));
      throw error;
    }
  }
  await until({ what: "the test run's PostgreSQL", seconds: 90 }, () => existsSync(ready) || existsSync(failed));
  if (existsSync(failed)) throw new Error(`the test run's PostgreSQL did not start: ${readFileSync(failed, 'utf8')}`);
  return JSON.parse(readFileSync(ready, 'utf8')) as TestCluster;
}

async function startCluster(): Promise<TestCluster> {
  const folder = runFolder();
  const superuserPassword = randomBytes(16).toString('hex');
  const cluster = await startPostgres({
    directory: join(folder, 'postgres'),
    superuserPassword,
    logFile: join(folder, 'postgres.log'),
    durable: false,
    maxConnections: 300,
  });
  const superuserUrl = cluster.superuserUrl('postgres');
  const ownerPassword = randomBytes(16).toString('hex');
  const ownerUrl = await ensureOwnDatabase({ superuserUrl, database: TEMPLATE, ownerPassword });
  // May copy databases; the product's own owner may not, and need not.
  await onServer({ superuserUrl }, `ALTER ROLE ${TEMPLATE} CREATEDB`);
  const roles = roleNames(TEMPLATE);
  const passwords = { cms: randomBytes(16).toString('hex'), vault: randomBytes(16).toString('hex'), ca: 'ca' };
  const writeSql = () => {
    throw new Error('the owner of the test database may make roles');
  };
  await ensureRoles({ ownerUrl, roles, passwords, writeSql });
  await migrate({ ownerUrl, roles });
  return { superuserUrl, ownerUrl, passwords };
}

function mine(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function named(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.toString();
}

async function onServer(cluster: Pick<TestCluster, 'superuserUrl'>, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: cluster.superuserUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
