import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectLink, type LinkClient } from '@cardwright/link';
import { connectVault, type VaultClient } from '@cardwright/vault';
import { afterAll } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../services/vault/dist/main.js', import.meta.url));

/** A test that fails half-way leaves none of these behind. */
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** The files of one vault: a directory, its keys and its secret. Several processes may run on them. */
export interface VaultFiles {
  readonly directory: string;
  readonly keysFile: string;
  readonly secretFile: string;
  remove(): void;
}

export function vaultFiles(): VaultFiles {
  const directory = mkdtempSync(join(tmpdir(), 'cw-vault-'));
  const secretFile = join(directory, 'secret');
  writeFileSync(secretFile, 'a secret for a test\n', { mode: 0o600 });
  return {
    directory,
    secretFile,
    keysFile: join(directory, 'keys.json'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface VaultProcess {
  readonly client: VaultClient;
  /** For what the typed client would not send. */
  readonly link: LinkClient;
  readonly process: ChildProcess;
  readonly socketPath: string;
  /** All it has written so far. */
  output(): string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

interface Options {
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly socket?: string;
}

function launch(files: VaultFiles, databaseUrl: string, options: Options) {
  const socketPath = join(files.directory, options.socket ?? 'vault.sock');
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), MAIN, ...(options.args ?? ['--init'])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      VAULT_SOCKET: socketPath,
      VAULT_DATABASE_URL: databaseUrl,
      VAULT_KEYS_FILE: files.keysFile,
      VAULT_SECRET_FILE: files.secretFile,
      ...options.env,
    },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const ended = once(child, 'close').then(([status]): Ended => ({ status: status as number | null, output }));
  return { child, socketPath, ended, output: () => output };
}

/** Starts it and waits until it serves. */
export async function startVault(files: VaultFiles, databaseUrl: string, options: Options = {}): Promise<VaultProcess> {
  const { child, socketPath, ended, output } = launch(files, databaseUrl, options);
  const deadline = Date.now() + 30_000;
  while (!output().includes('the vault serves')) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the vault did not start: ${output()}`);
    }
    await Promise.race([
      once(child.stdout, 'data'),
      ended,
      new Promise((resolve) => setTimeout(resolve, 1000).unref()),
    ]);
  }
  const client = connectVault(socketPath);
  const link = connectLink({ socketPath, service: 'vault' });
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    await ended;
    await Promise.all([client.close(), link.close()]);
  };
  return { client, link, process: child, socketPath, output, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

/** For a vault that must not start: runs until it ends. */
export async function runVault(files: VaultFiles, databaseUrl: string, options: Options = {}): Promise<Ended> {
  const { child, ended } = launch(files, databaseUrl, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const result = await ended;
  clearTimeout(timer);
  return result;
}

export const caller = { requestedBy: 'operator-1', requestId: 'request-1' };

/** `kind code` of what a call was refused with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: { kind?: string; code?: string }) => `${error.kind} ${error.code}`,
  );
}
