import { existsSync, readFileSync, statSync } from 'node:fs';
import { DomainError } from '@cardwright/protocol';
import { type Child, type ChildSpec, type Exit, startChild, stopProcess } from '../processes/child.ts';
import { until } from '../processes/until.ts';
import type { ProcessRecord } from './left-overs.ts';

export interface ServiceSpec extends ChildSpec {
  /** True once it does its work; gets what the process has logged since its start. A rejection means: not yet. */
  readonly ready: (logged: string) => Promise<boolean>;
}

/** One process of the system. Nothing starts it again when it ends: that is for its operator, or a test, to do. */
export interface Service {
  readonly name: string;
  readonly logFile: string;
  /** Of the process that runs now, or ran last. */
  pid(): number;
  running(): boolean;
  exited(): Promise<Exit>;
  /** SIGTERM, and SIGKILL when it takes longer than ten seconds. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash; returns when it is gone. */
  kill(): Promise<void>;
  /** Starts it (again) and waits until it is ready. */
  start(): Promise<void>;
}

/** Starts a process and waits until it is ready. Error: `service-not-started` (unavailable), with the end of its log. */
export async function startService(spec: ServiceSpec, record: ProcessRecord): Promise<Service> {
  let child: Child = await launch(spec, record);
  const stop = async () => {
    await stopProcess(child.identity);
    record.remove(spec.name);
  };
  return {
    name: spec.name,
    logFile: spec.logFile,
    pid: () => child.identity.pid,
    running: () => child.running(),
    exited: () => child.exited,
    stop,
    kill: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
    start: async () => {
      if (child.running()) await stop();
      child = await launch(spec, record);
    },
  };
}

async function launch(spec: ServiceSpec, record: ProcessRecord): Promise<Child> {
  const logStart = existsSync(spec.logFile) ? statSync(spec.logFile).size : 0;
  const logged = () => readFileSync(spec.logFile).subarray(logStart).toString('utf8');
  const child = await startChild(spec);
  record.add(spec.name, child.identity);
  try {
    const state = await until({ what: `${spec.name} to be ready`, seconds: 60, everyMs: 40 }, async () => {
      if (!child.running()) return 'ended';
      return (await spec.ready(logged()).catch(() => false)) ? 'ready' : null;
    });
    if (state === 'ready') return child;
  } catch (error) {
    await stopProcess(child.identity);
    throw notStarted(spec, (error as Error).message);
  }
  const { code, signal } = await child.exited;
  throw notStarted(spec, `It ended with ${signal ?? `code ${code}`}.`);
}

function notStarted(spec: ServiceSpec, why: string): DomainError {
  const lines = readFileSync(spec.logFile, 'utf8').trimEnd().split('\n').slice(-8);
  return new DomainError(
    'unavailable',
    'service-not-started',
    `${spec.name} did not start. ${why} The end of its log, ${spec.logFile}:\n${lines.map((line) => `    ${line.slice(0, 1000)}`).join('\n')}`,
  );
}
