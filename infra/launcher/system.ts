import { join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import type { Cluster } from '../database/cluster.ts';
import { takeLock } from '../processes/lock.ts';
import { canBind, freePort, whoListens } from '../processes/ports.ts';
import { keptSecret } from '../processes/private-file.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import { openDatabase, prepareDatabase, type SystemDatabase, startCluster } from './database.ts';
import { ProcessRecord, stopLeftOvers } from './left-overs.ts';
import { ensureOperators, type Operator, type Role } from './operators.ts';
import { type Service, startService } from './service.ts';
import { type ServiceName, serviceSpecs } from './services.ts';

export interface SystemOptions {
  readonly dataDir: string;
  /** The owner's URL of a PostgreSQL of the user's. Without it the embedded one is started in the data directory. */
  readonly databaseUrl?: string;
  /** Of the console and the API, on 127.0.0.1. Without it a free one. */
  readonly port?: number;
  /** False for tests only: PostgreSQL without fsync. */
  readonly durable?: boolean;
  /** Settings on top for a process, for tests. */
  readonly environment?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  /** Told of each step as it begins; `done` is called when it has ended, with what is worth saying. */
  readonly onStep?: (step: string) => (outcome?: string) => void;
}

export interface System {
  readonly url: string;
  readonly data: DataDirectory;
  readonly tokens: Readonly<Record<Role, string>>;
  readonly operators: readonly Operator[];
  readonly database: { readonly ownerUrl: string; readonly urls: SystemDatabase['urls'] };
  readonly processes: Readonly<Record<ServiceName, Service>>;
  /** Null with a PostgreSQL of the user's. `start` after `kill` comes back on the same port. */
  readonly postgres: { pid(): number; kill(): Promise<void>; start(): Promise<void> } | null;
  /** Ends what this call started, in the reverse order, and nothing else. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts everything but the device: PostgreSQL, migrations, vault, ca, cms, worker; one operator a role. Used by
 * `npm start` and by the tests. When a step fails, what was started before it is stopped again.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const data = openDataDirectory(options.dataDir);
  const undo: (() => unknown)[] = [];
  const stop = async () => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
  };
  try {
    const lock = takeLock(data.lock);
    undo.push(() => lock.release());
    return await start(options, data, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: SystemOptions,
  data: DataDirectory,
  undo: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<System> {
  const step = async <T>(
    name: string,
    work: () => Promise<T>,
    outcome: (made: T) => string | undefined,
  ): Promise<T> => {
    const done = options.onStep?.(name);
    const made = await work();
    done?.(outcome(made));
    return made;
  };
  const leftOver = await stopLeftOvers(data.processesFile);
  if (leftOver.length > 0) options.onStep?.('Recovering')(`ended what an earlier start left: ${leftOver.join(', ')}`);
  const port = options.port ?? (await freePort());
  await refuseBusyPort(port);

  const databaseOptions = { data, databaseUrl: options.databaseUrl, durable: options.durable ?? true };
  const database = await step('Starting PostgreSQL', () => openDatabase(databaseOptions), describeDatabase);
  let cluster = database.cluster;
  undo.push(() => cluster?.stop());
  await step(
    'Preparing the database',
    () => prepareDatabase(data, database.ownerUrl),
    (applied) => (applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`),
  );

  const url = `http://127.0.0.1:${port}`;
  const record = new ProcessRecord(data.processesFile);
  const plan = {
    ...{ data, port, publicUrl: url, databaseUrls: database.urls, caPort: await freePort() },
    vaultSecretFile: secretFile(data, 'vault'),
    caSecretFile: secretFile(data, 'ca'),
    environment: options.environment ?? {},
  };
  const processes = {} as Record<ServiceName, Service>;
  const specs = serviceSpecs(plan);
  // cms is ready only when vault and ca are; the two of a pair do not wait for each other.
  for (const pair of [specs.slice(0, 2), specs.slice(2)]) {
    const names = pair.map(({ name }) => name).join(' and ');
    await step(
      `Starting ${names}`,
      async () => {
        const started = await Promise.allSettled(pair.map((spec) => startService(spec, record)));
        for (const [index, one] of started.entries()) {
          if (one.status === 'rejected') continue;
          undo.push(() => one.value.stop());
          processes[(pair[index] as (typeof specs)[number]).name] = one.value;
        }
        for (const one of started) if (one.status === 'rejected') throw one.reason;
      },
      () => undefined,
    );
  }
  const operators = await step(
    'Making the operators',
    () => ensureOperators(data.secrets, database.urls.cms, url),
    (made) => made.map(({ name }) => name).join(', '),
  );
  const postgres =
    cluster === null
      ? null
      : {
          pid: () => (cluster as Cluster).identity.pid,
          kill: () => (cluster as Cluster).kill(),
          start: async () => {
            cluster = await startCluster(databaseOptions, cluster?.port);
          },
        };
  return {
    ...{ url, data, operators, processes, postgres, stop },
    tokens: Object.fromEntries(operators.map(({ role, token }) => [role, token])) as Record<Role, string>,
    database: { ownerUrl: database.ownerUrl, urls: database.urls },
  };
}

function secretFile(data: DataDirectory, name: string): string {
  const file = join(data.secrets, `${name}-passphrase`);
  keptSecret(file);
  return file;
}

function describeDatabase({ cluster, ownerUrl }: SystemDatabase): string {
  if (cluster === null) return `yours, at ${new URL(ownerUrl).host}`;
  const moved = cluster.movedBecause === null ? '' : `; its files are in /var/lib/cardwright (${cluster.movedBecause})`;
  return `${cluster.adopted ? 'adopted the one left running, ' : ''}127.0.0.1:${cluster.port}${moved}`;
}

async function refuseBusyPort(port: number): Promise<void> {
  if (await canBind(port)) return;
  const who = whoListens(port) ?? 'another program';
  throw new DomainError(
    'conflict',
    'port-in-use',
    `Port ${port} on 127.0.0.1 is in use by ${who}. Stop it, or choose another port: CARDWRIGHT_PORT=${port + 1} npm start`,
    { data: { port } },
  );
}
