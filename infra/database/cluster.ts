import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DomainError } from '@cardwright/protocol';
import pg from 'pg';
import { startChild, stopProcess } from '../processes/child.ts';
import { isRunning, type ProcessIdentity } from '../processes/identity.ts';
import { freePort } from '../processes/ports.ts';
import { until } from '../processes/until.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { makeOwnedFolder, placeCluster } from './cluster-folder.ts';
import { findPostmaster, type Postmaster } from './postmaster.ts';
import { databaseUser, type SystemUser } from './system-user.ts';

export interface ClusterOptions {
  /** Where the cluster's files are to be; made on first start. */
  readonly directory: string;
  readonly superuserPassword: string;
  readonly logFile: string;
  /** False for tests only: without fsync a power cut loses the cluster (a killed process does not). Default true. */
  readonly durable?: boolean;
  readonly port?: number;
  readonly maxConnections?: number;
}

export interface Cluster {
  readonly port: number;
  readonly identity: ProcessIdentity;
  /** True when a postgres left over by a launcher killed with -9 was found running and taken over. */
  readonly adopted: boolean;
  readonly movedBecause: string | null;
  /** The superuser's URL of a database of this cluster. Holds the password: never print it. */
  superuserUrl(database: string): string;
  /** Ends it as an operator would ("fast": sessions are cut off, everything is on disk). */
  stop(): Promise<void>;
  /** Ends the postmaster with SIGKILL, as a crash would. */
  kill(): Promise<void>;
}

const SUPERUSER = 'postgres';

/**
 * Starts the embedded PostgreSQL, or adopts it when it still runs. It listens on 127.0.0.1 only, wants a password
 * (SCRAM-SHA-256) from everybody, and outlives this process unless stopped.
 */
export async function startPostgres(options: ClusterOptions): Promise<Cluster> {
  const user = databaseUser();
  const folder = placeCluster(options.directory, user);
  const leftOver = findPostmaster(folder.path);
  if (leftOver !== null) {
    if (await accepts(leftOver.port, options.superuserPassword, 10)) {
      return asCluster(leftOver, options, folder.movedBecause, true);
    }
    await stopProcess(leftOver.identity, { signal: 'SIGQUIT', graceSeconds: 10 });
  }
  const binaries = await findBinaries(user);
  if (!existsSync(join(folder.path, 'PG_VERSION'))) await initialise(folder.path, options, binaries, user);
  const postmaster = await launch(folder.path, options, binaries, user);
  return asCluster(postmaster, options, folder.movedBecause, false);
}

/** initdb into a folder beside, then one rename: a crash half-way leaves nothing that looks like a cluster. */
async function initialise(
  path: string,
  options: ClusterOptions,
  binaries: Binaries,
  user: SystemUser | null,
): Promise<void> {
  const unfinished = `${path}.new`;
  makeOwnedFolder(unfinished, user);
  const secrets = mkdtempSync(join(tmpdir(), 'cardwright-initdb-'));
  const passwordFile = join(secrets, 'password');
  writeFileSync(passwordFile, `${options.superuserPassword}\n`, { mode: 0o600 });
  if (user !== null) for (const entry of [secrets, passwordFile]) chownSync(entry, user.uid, user.gid);
  const args = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${SUPERUSER}`];
  const sync = options.durable === false ? ['--no-sync'] : [];
  try {
    await promisify(execFile)(
      binaries.initdb,
      [`--pgdata=${unfinished}`, `--pwfile=${passwordFile}`, ...args, ...sync],
      { ...(user ?? {}), cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } },
    );
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? cause).trim();
    throw new DomainError('unavailable', 'database-not-made', `initdb failed in ${unfinished}: ${said}`, { cause });
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
  rmSync(path, { recursive: true, force: true });
  renameSync(unfinished, path);
}

/**
 * A killed postmaster leaves back-ends and their shared memory for a moment ("pre-existing shared memory block is still
 * in use"), and a port found free may be taken by another before postgres has it: so a start is tried again.
 */
async function launch(
  path: string,
  options: ClusterOptions,
  binaries: Binaries,
  user: SystemUser | null,
): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const child = await startChild({
      name: 'postgres',
      command: binaries.postgres,
      args: ['-D', path, '-p', String(port), ...settings(options).flatMap((setting) => ['-c', setting])],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      logFile: options.logFile,
      workingDirectory: '/',
      ...(user === null ? {} : { user }),
    });
    const started = await accepts(port, options.superuserPassword, 60, () => child.running());
    if (started) return { identity: child.identity, port };
    await stopProcess(child.identity, { signal: 'SIGINT' });
    if (attempt === 8) {
      throw new DomainError(
        'unavailable',
        'database-not-started',
        `PostgreSQL did not start in ${path}. Its log says why: ${options.logFile}`,
      );
    }
    await delay(500); // not a test: there is no event to wait for, and nothing depends on the length
  }
}

function settings(options: ClusterOptions): string[] {
  const always = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'password_encryption=scram-sha-256',
    'timezone=UTC',
    'log_timezone=UTC',
    `max_connections=${options.maxConnections ?? 100}`,
  ];
  return options.durable === false
    ? [...always, 'fsync=off', 'full_page_writes=off', 'synchronous_commit=off']
    : always;
}

/** Whether the superuser can sign in there within so many seconds. False at once when `alive` says the server has ended. */
async function accepts(port: number, password: string, seconds: number, alive = () => true): Promise<boolean> {
  const attempt = async (): Promise<boolean | null> => {
    if (!alive()) return false;
    const client = new pg.Client({ connectionString: url(port, password, 'postgres'), connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined); // a server that goes away while we connect is an answer, not a crash
    try {
      await client.connect();
      return true;
    } catch {
      return null;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  let answer: boolean | null = null;
  try {
    await until({ what: 'postgres to accept connections', seconds }, async () => {
      answer = await attempt();
      return answer !== null;
    });
  } catch {
    return false;
  }
  return answer === true;
}

function url(port: number, password: string, database: string): string {
  return `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

function asCluster(found: Postmaster, options: ClusterOptions, movedBecause: string | null, adopted: boolean): Cluster {
  return {
    port: found.port,
    identity: found.identity,
    adopted,
    movedBecause,
    superuserUrl: (database) => url(found.port, options.superuserPassword, database),
    stop: () => stopProcess(found.identity, { signal: 'SIGINT', graceSeconds: 30 }),
    kill: async () => {
      if (isRunning(found.identity)) process.kill(found.identity.pid, 'SIGKILL');
      await until({ what: 'postgres to end', seconds: 10 }, () => !isRunning(found.identity));
    },
  };
}
