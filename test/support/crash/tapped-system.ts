import { randomBytes } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  databaseName,
  ensureOwnDatabase,
  ensureRoles,
  keptSecret,
  migrate,
  type RolePasswords,
  removeCluster,
  roleNames,
  startPostgres,
  until,
  type Zone,
  zoneUrl,
} from '@cardwright/infra';
import pg from 'pg';
import { runFolder } from '../run-folder.ts';
import { startTestSystem, type TestSystem } from '../system.ts';
import { type Crossings, createCrossings } from './crossings.ts';
import { httpTap, type Tap } from './http-tap.ts';
import { linkTap } from './link-tap.ts';
import { pgTap } from './pg-tap.ts';
import type { Victim } from './victim.ts';

/** A whole system with its own PostgreSQL, whose processes talk to each other through taps. The worker is not tapped. */
export interface TappedSystem {
  readonly system: TestSystem;
  readonly crossings: Crossings;
  /** The address of cms for a program whose requests are steps. */
  url(caller: 'agent' | 'command'): string;
  readonly victims: Readonly<Record<'cms' | 'vault' | 'ca' | 'postgres', Victim>>;
  /** Until cms says that it and all behind it are ready. */
  ready(): Promise<void>;
  /** Keeps the database as it is now under that name. Whoever is connected is cut off. */
  copyDatabase(name: string): Promise<void>;
  /** Makes the database again from that copy. */
  restoreDatabase(name: string): Promise<void>;
  remove(): Promise<void>;
}

export interface TappedOptions {
  /** When there is a database, and no process has used it. */
  readonly beforeStart?: (place: { readonly dataDir: string; readonly vaultUrl: string }) => Promise<void>;
  /** Settings on top for the vault. */
  readonly vault?: Readonly<Record<string, string>>;
}

/** As many answers as tests ask for: limits have tests of their own. */
export const NO_LIMITS = {
  VAULT_LIMIT_PER_CARD: '1000000',
  VAULT_LIMIT_PER_REQUESTER: '1000000',
  VAULT_LIMIT_IN_ALL: '1000000',
};

const DATABASE = 'cardwright';
const ZONES: readonly Zone[] = ['cms', 'vault', 'ca'];

export async function startTappedSystem(options: TappedOptions = {}): Promise<TappedSystem> {
  const dataDir = join(realpathSync(runFolder()), `taps-${randomBytes(4).toString('hex')}`);
  mkdirSync(join(dataDir, 'secrets'), { recursive: true, mode: 0o700 });
  const undo: (() => unknown)[] = [() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 })];
  const remove = async () => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
  };
  try {
    const database = await ownDatabase(dataDir, undo);
    await options.beforeStart?.({ dataDir, vaultUrl: database.url('vault') });
    const crossings = createCrossings();
    const tapped = async <T extends Tap>(tap: Promise<T>): Promise<T> => {
      const open = await tap;
      undo.push(() => open.close());
      return open;
    };
    const databaseTap = async (zone: Zone) => {
      const to = () => ({ host: '127.0.0.1', port: database.port });
      const { port } = await tapped(pgTap(crossings, [zone, 'postgres'], to));
      const url = new URL(database.url(zone));
      url.port = String(port);
      return url.toString();
    };
    const linked = async (service: 'vault' | 'ca') => {
      const path = join(dataDir, `${service}.tap`);
      await tapped(linkTap(crossings, ['cms', service], path, join(dataDir, 'sockets', `${service}.sock`)));
      return path;
    };
    const system = await startTestSystem({
      dataDir,
      databaseUrl: database.ownerUrl,
      environment: {
        vault: { VAULT_DATABASE_URL: await databaseTap('vault'), ...NO_LIMITS, ...options.vault },
        ca: { CA_DATABASE_URL: await databaseTap('ca') },
        cms: {
          CMS_DATABASE_URL: await databaseTap('cms'),
          CMS_VAULT_SOCKET: await linked('vault'),
          CMS_CA_SOCKET: await linked('ca'),
        },
      },
    });
    undo.push(() => system.stop());
    const urls = {
      agent: (await tapped(httpTap(crossings, ['agent', 'cms'], system.url))).url,
      command: (await tapped(httpTap(crossings, ['command', 'cms'], system.url))).url,
    };
    const ready = async () => {
      await until({ what: 'cms to be ready', seconds: 60 }, async () => {
        const answer = await fetch(`${system.url}/health/ready`, { signal: AbortSignal.timeout(5000) }).catch(
          () => null,
        );
        await answer?.arrayBuffer();
        return answer?.ok;
      });
    };
    const { cms, vault, ca } = system.processes;
    return {
      ...{ system, crossings, ready, remove },
      copyDatabase: (name) => database.copy(DATABASE, name),
      restoreDatabase: (name) => database.copy(name, DATABASE),
      url: (caller) => urls[caller],
      victims: {
        cms: { name: 'cms', kill: () => cms.kill(), start: () => cms.start() },
        vault: { name: 'vault', kill: () => vault.kill(), start: () => vault.start() },
        ca: { name: 'ca', kill: () => ca.kill(), start: () => ca.start() },
        postgres: { name: 'postgres', kill: database.kill, start: database.start },
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A PostgreSQL that nobody else uses, as it is to be killed, with all migrations; flushing to disk as in production. */
async function ownDatabase(dataDir: string, undo: (() => unknown)[]) {
  const directory = join(dataDir, 'postgres');
  const secret = (name: string) => keptSecret(join(dataDir, 'secrets', name));
  const settings = {
    ...{ directory, superuserPassword: secret('database-superuser'), logFile: join(dataDir, 'postgres.log') },
  };
  let cluster = await startPostgres(settings);
  undo.push(async () => {
    await cluster.stop();
    removeCluster(directory);
  });
  const { port } = cluster;
  const ownerUrl = await ensureOwnDatabase({
    superuserUrl: cluster.superuserUrl('postgres'),
    database: DATABASE,
    ownerPassword: secret('database-owner'),
  });
  const roles = roleNames(databaseName(ownerUrl));
  // Where the launcher keeps them, too: it then finds all made already.
  const passwords = Object.fromEntries(ZONES.map((zone) => [zone, secret(`database-${zone}`)])) as RolePasswords;
  const writeSql = () => {
    throw new Error('the owner of the database may make roles');
  };
  await ensureRoles({ ownerUrl, roles, passwords, writeSql });
  await migrate({ ownerUrl, roles });
  return {
    ...{ port, ownerUrl },
    url: (zone: Zone) => zoneUrl(ownerUrl, roles[zone], passwords[zone]),
    /** A template must have no sessions; those of pools come again at once, so for that moment it takes none. */
    copy: async (from: string, to: string) => {
      const client = new pg.Client({ connectionString: cluster.superuserUrl('postgres') });
      await client.connect();
      try {
        await client.query(`ALTER DATABASE ${from} ALLOW_CONNECTIONS false`);
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [from]);
        await client.query(`DROP DATABASE IF EXISTS ${to} WITH (FORCE)`);
        await client.query(`CREATE DATABASE ${to} TEMPLATE ${from} OWNER ${DATABASE} ALLOW_CONNECTIONS true`);
        await client.query(`ALTER DATABASE ${from} ALLOW_CONNECTIONS true`);
      } finally {
        await client.end();
      }
    },
    kill: () => cluster.kill(),
    start: async () => {
      cluster = await startPostgres({ ...settings, port });
    },
  };
}
