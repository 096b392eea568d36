import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Tpm } from '../tpm.ts';
import { openTpm } from '../wire.ts';

const DEADLINE_MS = 15_000;

/** A real software TPM of a test's own, new and empty, gone with the test. */
export interface SoftwareTpm {
  /** For openTpm, and as it stands for tpm2-tools. */
  readonly tcti: string;
  readonly directory: string;
  /** Runs a program of tpm2-tools in `directory`; our own connection must be closed. Rejects when it exits with an error. */
  tool(program: string, ...args: readonly string[]): Promise<string>;
  /** The TPM disappears at once, as by kill -9. */
  kill(): Promise<void>;
  /** Power off and on: what is not stored in the TPM is lost. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** `prepare`: what puts the TPM's state into its directory, instead of an empty one. */
export async function startSoftwareTpm(
  channel: 'tcp' | 'unix' = 'tcp',
  prepare: (directory: string) => Promise<void> = async () => undefined,
): Promise<SoftwareTpm> {
  const directory = await mkdtemp(join(tmpdir(), 'cardwright-tpm-'));
  await prepare(directory);
  let port = 0;
  let tcti = `swtpm:path=${join(directory, 'tpm.sock')}`;
  let child: ChildProcess;

  async function start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (channel === 'tcp') {
        port = await freePair();
        tcti = `swtpm:host=127.0.0.1,port=${port}`;
      }
      child = launch(directory, channel, port);
      if (await answers(child, tcti)) return;
      await ended(child);
      if (attempt === 5) throw new Error('swtpm did not start');
    }
  }

  await start();
  const self: SoftwareTpm = {
    get tcti() {
      return tcti;
    },
    directory,
    async tool(program, ...args) {
      const env = { ...process.env, TPM2TOOLS_TCTI: tcti };
      const { stdout } = await promisify(execFile)(program, args, { cwd: directory, env, timeout: DEADLINE_MS });
      return stdout;
    },
    kill: () => ended(child),
    async restart() {
      await ended(child);
      await start();
    },
    async stop() {
      await ended(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
  return self;
}

function launch(directory: string, channel: 'tcp' | 'unix', port: number): ChildProcess {
  const server =
    channel === 'tcp'
      ? [
          '--server',
          `type=tcp,port=${port},bindaddr=127.0.0.1`,
          '--ctrl',
          `type=tcp,port=${port + 1},bindaddr=127.0.0.1`,
        ]
      : ['--server', `type=unixio,path=${join(directory, 'tpm.sock')}`];
  const state = ['--tpmstate', `dir=${directory},mode=0600`, '--flags', 'not-need-init,startup-clear'];
  return spawn('swtpm', ['socket', '--tpm2', ...state, ...server], { stdio: 'ignore' });
}

/** False if it ended before it answered: another program may have taken the port in between. */
async function answers(child: ChildProcess, tcti: string): Promise<boolean> {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    let tpm: Tpm;
    try {
      tpm = await openTpm(tcti);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
      continue;
    }
    await tpm.close();
    return true;
  }
  return false;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

/** tpm2-tools expect the control channel one port above. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port !== undefined && port < 65_535 && (await listenOnce(port + 1)) !== undefined) return port;
  }
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
