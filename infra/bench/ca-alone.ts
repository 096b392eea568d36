import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../database/cluster.ts';
import { removeCluster } from '../database/cluster-folder.ts';
import { migrate } from '../database/migrate.ts';
import { ensureOwnDatabase } from '../database/owner.ts';
import { ensureRoles, roleNames, zoneUrl } from '../database/roles.ts';
import { baseEnvironment } from '../launcher/services.ts';
import { writePrivateFile } from '../processes/private-file.ts';
import { until } from '../processes/until.ts';
import { inRepository } from '../repository/root.ts';

const DATABASE = 'cardwright_bench';

export interface CaDatabase {
  readonly ownerUrl: string;
  /** The ca role's. */
  readonly caUrl: string;
  stop(): Promise<void>;
}

/** A durable PostgreSQL of its own in `folder`, migrated. */
export async function startCaDatabase(folder: string): Promise<CaDatabase> {
  const directory = join(folder, 'postgres');
  const cluster = await startPostgres({
    directory,
    superuserPassword: randomBytes(16).toString('hex'),
    logFile: join(folder, 'postgres.log'),
  });
  const roles = roleNames(DATABASE);
  const password = () => randomBytes(16).toString('hex');
  const passwords = { cms: password(), vault: password(), ca: password() };
  const superuserUrl = cluster.superuserUrl('postgres');
  const ownerUrl = await ensureOwnDatabase({ superuserUrl, database: DATABASE, ownerPassword: password() });
  const writeSql = (): string => {
    throw new Error('the owner of the database may make roles');
  };
  await ensureRoles({ ownerUrl, roles, passwords, writeSql });
  await migrate({ ownerUrl, roles });
  return {
    ownerUrl,
    caUrl: zoneUrl(ownerUrl, roles.ca, passwords.ca),
    async stop() {
      await cluster.stop();
      removeCluster(directory);
    },
  };
}

export interface CaAlone {
  readonly pid: number;
  readonly socket: string;
  readonly httpPort: number;
  stop(): Promise<void>;
}

/** The ca process alone, as in production, in `folder`. */
export async function startCaAlone(folder: string, databaseUrl: string): Promise<CaAlone> {
  const socketFolder = join(folder, 'run');
  mkdirSync(socketFolder, { mode: 0o700 });
  const [socket, secret] = [join(socketFolder, 'ca.sock'), join(folder, 'ca-secret')];
  writePrivateFile(secret, randomBytes(24).toString('base64url'));
  const child: ChildProcess = spawn(process.execPath, [inRepository('services', 'ca', 'dist', 'main.js')], {
    env: {
      ...baseEnvironment(),
      CA_SOCKET: socket,
      CA_HTTP_PORT: '0',
      CA_DATABASE_URL: databaseUrl,
      CA_KEYS_DIR: join(folder, 'ca'),
      CA_SECRET_FILE: secret,
      CA_PUBLIC_URL: 'http://pki.bench.example',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let log = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await until({ what: 'the ca to be ready', seconds: 60 }, () => {
    if (child.exitCode !== null) throw new Error(`the ca did not start: ${log}`);
    return log.includes('ca is ready');
  });
  child.stdout?.removeAllListeners('data').resume();
  return {
    pid: child.pid ?? 0,
    socket,
    httpPort: Number(/"httpPort":(\d+)/.exec(log)?.[1]),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(socketFolder, { recursive: true, force: true });
    },
  };
}
