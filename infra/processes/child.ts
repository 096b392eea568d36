import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import { identify, isRunning, type ProcessIdentity } from './identity.ts';
import { until } from './until.ts';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited, so that each process gets only the secrets that are its own. */
  readonly env: Readonly<Record<string, string>>;
  /** Appended to, mode 0600. A file and not a pipe: the process outlives a launcher killed with -9. */
  readonly logFile: string;
  readonly workingDirectory: string;
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly identity: ProcessIdentity;
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<Exit>;
  running(): boolean;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a process in a group of its own: Ctrl-C in a terminal goes to a whole group, and the launcher must be the one
 * to end its processes, in the right order. Error: `process-did-not-start`.
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const log = openSync(spec.logFile, 'a', 0o600);
  const child = spawn(spec.command, [...spec.args], {
    cwd: spec.workingDirectory,
    env: { ...spec.env },
    detached: true,
    stdio: ['ignore', log, log],
    ...(spec.user ?? {}),
  });
  closeSync(log);
  let ended: Exit | null = null;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      resolve(ended);
    });
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(
        new DomainError('unavailable', 'process-did-not-start', `${spec.name} did not start: ${cause.message}`, {
          cause,
        }),
      ),
    );
  });
  const pid = child.pid as number;
  const identity = identify(pid) ?? { pid, startedAt: 'ended-at-once' };
  return {
    name: spec.name,
    identity,
    exited,
    running: () => ended === null,
    kill: (signal) => {
      if (ended === null) child.kill(signal);
    },
  };
}

/** Asks a process to end, and ends it with SIGKILL when it has not done so in time. Does nothing when it is not running. */
export async function stopProcess(
  identity: ProcessIdentity,
  options: { signal?: NodeJS.Signals; graceSeconds?: number } = {},
): Promise<void> {
  if (!isRunning(identity)) return;
  sendSignal(identity, options.signal ?? 'SIGTERM');
  const gone = () => !isRunning(identity);
  try {
    await until({ what: `process ${identity.pid} to end`, seconds: options.graceSeconds ?? 10 }, gone);
  } catch {
    sendSignal(identity, 'SIGKILL');
    await until({ what: `process ${identity.pid} to end after SIGKILL`, seconds: 10 }, gone);
  }
}

function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isRunning(identity)) process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended between the look and the signal
  }
}
