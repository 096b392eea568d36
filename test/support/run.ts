import { type ChildProcess, spawn } from 'node:child_process';

export interface Ran {
  /** Null when a signal ended it: see `signal`. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly seconds?: number;
}

/** Runs a program to its end. Never throws for an exit code: the test judges it. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const program = start(command, args, options);
  program.child.stdin?.end(options.input ?? '');
  return await program.ended;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** What it has printed so far. */
  output(): string;
}

/** Starts a program and leaves its standard input open. It is killed after `seconds` (60). */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: (options.seconds ?? 60) * 1000,
    killSignal: 'SIGKILL',
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    printed.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    printed.stderr += chunk;
  });
  child.stdin.on('error', () => undefined); // the program may end without reading all of it
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...printed }));
  });
  return { child, ended, output: () => printed.stdout };
}

/** The code an agent ended with: `… [code]`, or `{"error":{"code"…}}` with --json. Null when it did not fail. */
export function refusalOf(ran: Ran): string | null {
  if (ran.exitCode === 0) return null;
  const json = /^\{"error":.*$/m.exec(ran.stderr)?.[0];
  if (json !== undefined) return JSON.parse(json).error.code;
  return /\[([a-z0-9-]+)\]\s*$/.exec(ran.stderr)?.[1] ?? `unreadable: ${ran.stderr}`;
}

/** PEM of RFC 7468. */
export function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
