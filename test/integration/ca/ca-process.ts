import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CaClient, connectCa, type IssueParams } from '@cardwright/ca';
import { inRepository, until } from '@cardwright/infra';
import pg from 'pg';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { runFolder } from '../../support/run-folder.ts';

const run = promisify(execFile);

/** An installation of the CA: its database, its keys, its secret. The process can be started and killed at will. */
export interface CaInstallation {
  readonly folder: string;
  readonly keysDirectory: string;
  readonly secretFile: string;
  readonly database: Omit<TestDatabase, 'name'>;
  readonly client: CaClient;
  /** Of the database's owner, for looking and for standing in the way. */
  readonly owner: pg.Pool;
  /** Starts the process; resolves when it says that it is ready. */
  start(): Promise<void>;
  /** Starts the process without waiting. */
  launch(environment?: Readonly<Record<string, string>>): ChildProcess;
  /** What a start that must fail ends with. */
  startFails(
    environment?: Readonly<Record<string, string>>,
  ): Promise<{ readonly exitCode: number | null; readonly log: string }>;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
  /** What the process of the last start has logged. */
  log(): string;
  /** Of the running process: `http://127.0.0.1:port`. */
  url(): string;
  dispose(): Promise<void>;
}

export const PUBLIC_URL = 'http://pki.cardwright.test';

/** @param environment what the process gets besides. @param databaseOf makes a migrated database */
export async function caInstallation(
  environment: Readonly<Record<string, string>> = {},
  databaseOf: () => Promise<Omit<TestDatabase, 'name'>> = testDatabase,
): Promise<CaInstallation> {
  const folder = await mkdtemp(join(runFolder(), 'ca-'));
  const database = await databaseOf();
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 4 });
  // An idle connection that dies with its server or its database is no failure of a test.
  owner.on('error', () => undefined);
  const keysDirectory = join(folder, 'keys');
  const secretFile = join(folder, 'secret');
  const socket = join(folder, 'run', 'ca.sock');
  await mkdir(join(folder, 'run'), { mode: 0o700 });
  await writeFile(secretFile, 'a secret of the test, long enough\n', { mode: 0o600 });
  const client = connectCa(socket);
  let child: ChildProcess | null = null;
  let log = '';

  function launch(once: Readonly<Record<string, string>> = {}): ChildProcess {
    log = '';
    const launched = spawn(process.execPath, [inRepository('services', 'ca', 'dist', 'main.js')], {
      env: {
        CA_SOCKET: socket,
        CA_HTTP_PORT: '0',
        CA_DATABASE_URL: database.urls.ca,
        CA_KEYS_DIR: keysDirectory,
        CA_SECRET_FILE: secretFile,
        CA_PUBLIC_URL: PUBLIC_URL,
        ...environment,
        ...once,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [launched.stdout, launched.stderr]) stream.on('data', (chunk) => (log += String(chunk)));
    child = launched;
    return launched;
  }

  async function ended(launched: ChildProcess): Promise<number | null> {
    await until(
      { what: 'the CA to end', seconds: 30 },
      () => launched.exitCode !== null || launched.signalCode !== null,
    );
    return launched.exitCode;
  }

  const installation: CaInstallation = {
    folder,
    keysDirectory,
    secretFile,
    database,
    client,
    owner,
    launch,
    async start() {
      const launched = launch();
      await until({ what: 'the CA to be ready', seconds: 30 }, () => {
        if (launched.exitCode !== null) throw new Error(`the CA did not start: ${log}`);
        return log.includes('ca is ready');
      });
    },
    async startFails(once) {
      return { exitCode: await ended(launch(once)), log };
    },
    async kill(signal) {
      const launched = child;
      if (launched === null) return null;
      child = null;
      launched.kill(signal);
      return ended(launched);
    },
    log: () => log,
    url() {
      const port = /"httpPort":(\d+)/.exec(log)?.[1];
      if (port === undefined) throw new Error('the CA is not ready');
      return `http://127.0.0.1:${port}`;
    },
    async dispose() {
      await installation.kill('SIGKILL');
      await client.close();
      await owner.end();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return installation;
}

/** Runs a program; its exit code and everything it said. */
export async function program(name: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await run(name, [...args], { env: { PATH: process.env.PATH ?? '' } });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { code, output: stdout + stderr };
  }
}

/** openssl, which must succeed. */
export async function openssl(...args: readonly string[]): Promise<string> {
  const { code, output } = await program('openssl', args);
  if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${output}`);
  return output;
}

let made = 0;

/** A CSR by openssl. @param newKey what `openssl req -newkey` takes, and options after it */
export async function makeCsr(folder: string, ...newKey: readonly string[]): Promise<Buffer> {
  made += 1;
  const [out, keyOut] = [join(folder, `${made}.csr`), join(folder, `${made}.key`)];
  const key = newKey.length > 0 ? newKey : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await openssl(
    'req',
    '-new',
    '-newkey',
    ...key,
    '-nodes',
    '-keyout',
    keyOut,
    '-subj',
    '/CN=of no interest',
    '-outform',
    'DER',
    '-out',
    out,
  );
  return readFile(out);
}

export function order(requestId: string, csr: Buffer, changes: Partial<IssueParams> = {}): IssueParams {
  return {
    requestId,
    csr: csr.toString('base64url'),
    profile: 'smart-card-sign-in',
    subject: { commonName: 'Alice Adams' },
    subjectAltName: { userPrincipalName: 'alice@corp.example', email: 'alice.adams@corp.example' },
    validitySeconds: 86_400,
    ...changes,
  };
}

/** Writes DER from the link as a PEM file. */
export async function writePem(path: string, label: string, ...ders: readonly (string | Buffer)[]): Promise<string> {
  const pem = ders.map((der) => {
    const base64 = (typeof der === 'string' ? Buffer.from(der, 'base64url') : der).toString('base64');
    return `-----BEGIN ${label}-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;
  });
  await writeFile(path, pem.join(''));
  return path;
}

export async function fetchBytes(url: string, init: RequestInit = {}): Promise<{ response: Response; bytes: Buffer }> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}
