import { connect } from 'node:net';
import { join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import { startChild, stopProcess } from '../processes/child.ts';
import { identify, isRunning, type ProcessIdentity } from '../processes/identity.ts';
import { freePort } from '../processes/ports.ts';
import { readPrivateFile, writePrivateFile } from '../processes/private-file.ts';
import { until } from '../processes/until.ts';
import { manufacture, SWTPM_ENVIRONMENT } from './manufacture.ts';

export interface SoftwareTpm {
  /** What the agent's `--tpm` and tpm2-tools' TPM2TOOLS_TCTI take: `swtpm:host=127.0.0.1,port=…`. */
  readonly tcti: string;
  /** The commands' port. The control channel is on the next one, where tpm2-tools looks for it. */
  readonly port: number;
  readonly pid: number;
  /** True when one left over by a launcher killed with -9 was found running and taken over. */
  readonly adopted: boolean;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const RECORD = 'running.json';

interface Running {
  readonly port: number;
  readonly identity: ProcessIdentity;
}

/**
 * Starts the software TPM of a folder (made on first start), or adopts it when it still runs. It outlives this process
 * unless stopped. One client at a time (swtpm has no resource manager); its state is on disk after every command.
 * Errors: `software-tpm-not-made`, `software-tpm-not-started` (unavailable).
 */
export async function startSoftwareTpm(options: { readonly stateDir: string }): Promise<SoftwareTpm> {
  const { stateDir } = options;
  await manufacture(stateDir);
  const recordFile = join(stateDir, RECORD);
  const record = readPrivateFile(recordFile);
  if (record !== null) {
    const leftOver = JSON.parse(record) as Running;
    if (isRunning(leftOver.identity)) return asSoftwareTpm(leftOver, true);
  }
  await stopUnrecorded(stateDir);
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const running = await launch(stateDir);
    if (running === null) continue; // another process took the ports between the look and the start
    writePrivateFile(recordFile, JSON.stringify(running));
    return asSoftwareTpm(running, false);
  }
  throw new DomainError(
    'unavailable',
    'software-tpm-not-started',
    `swtpm did not start on the state in ${stateDir}. Its log says why: ${join(stateDir, 'swtpm.log')}`,
  );
}

/** Ends the software TPM of a folder when it still runs, whoever started it. */
export async function stopSoftwareTpm(stateDir: string): Promise<void> {
  const record = readPrivateFile(join(stateDir, RECORD));
  if (record !== null) await stopProcess((JSON.parse(record) as Running).identity);
  await stopUnrecorded(stateDir);
}

/** One that was started just before its launcher was killed: its port is unknown, and it holds the state's lock. */
async function stopUnrecorded(stateDir: string): Promise<void> {
  const identity = identify(Number(readPrivateFile(join(stateDir, 'pid')) ?? 0));
  if (identity === null) return;
  const commandLine = readPrivateFile(`/proc/${identity.pid}/cmdline`) ?? '';
  if (commandLine.split('\0').includes(`dir=${stateDir},mode=0600`)) await stopProcess(identity);
}

async function launch(stateDir: string): Promise<Running | null> {
  const port = await freePort(2);
  const channel = (number: number) => `type=tcp,port=${number},bindaddr=127.0.0.1`;
  const child = await startChild({
    name: 'swtpm',
    command: 'swtpm',
    args: [
      ...['socket', '--tpm2', '--tpmstate', `dir=${stateDir},mode=0600`],
      ...['--server', channel(port), '--ctrl', channel(port + 1), '--flags', 'not-need-init,startup-clear'],
      ...['--pid', `file=${join(stateDir, 'pid')}`],
    ],
    env: SWTPM_ENVIRONMENT,
    logFile: join(stateDir, 'swtpm.log'),
    workingDirectory: stateDir,
  });
  const state = await until({ what: 'swtpm to listen', seconds: 15 }, async () => {
    if (!child.running()) return 'ended';
    return (await listens(port + 1)) ? 'listens' : null;
  });
  return state === 'listens' ? { port, identity: child.identity } : null;
}

/** Asks the control channel, not the commands' one: a probe there would be its one client for a moment. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function asSoftwareTpm({ port, identity }: Running, adopted: boolean): SoftwareTpm {
  return {
    tcti: `swtpm:host=127.0.0.1,port=${port}`,
    port,
    pid: identity.pid,
    adopted,
    stop: () => stopProcess(identity),
    kill: async () => {
      if (isRunning(identity)) process.kill(identity.pid, 'SIGKILL');
      await until({ what: 'swtpm to end', seconds: 10 }, () => !isRunning(identity));
    },
  };
}
