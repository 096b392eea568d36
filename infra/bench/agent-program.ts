import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { makeSingleFile } from '../agent-package/single-file.ts';
import { ensureCard, startDevice } from '../launcher/device.ts';
import type { System } from '../launcher/system.ts';
import type { Row } from './table.ts';

const STARTS = 15;
const COLD_START_MS = 150;
const IDLE_MB = 80;
/** For the first round: it begins within five seconds. */
const DEADLINE_MS = 60_000;

/**
 * The agent in one file, as it is packaged: how long it takes from its start to its end where it has next to nothing to
 * do, and what memory it holds as a service between two contacts, with a card in a TPM. Beside each the same of a Node that
 * runs an empty program: what of it is Node's own.
 */
export async function measureAgentProgram(system: System): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-bench-agent-'));
  try {
    const agent = join(folder, 'cardwright-agent');
    await makeSingleFile(agent);
    return [coldStart(agent), await idleMemory(system, agent)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function coldStart(agent: string): Row {
  const [ours, floors]: [number[], number[]] = [[], []];
  timed(agent, ['--version']); // its pages are in memory from here on
  for (let start = 0; start < STARTS; start++) {
    ours.push(timed(agent, ['--version']));
    floors.push(timed(process.execPath, ['-e', '0']));
  }
  const [mine, floor] = [median(ours), median(floors)];
  return {
    what: 'cold start of the agent in one file',
    ours: `${mine.toFixed(0)} ms`,
    floor: `${COLD_START_MS} ms allowed (an empty Node: ${floor.toFixed(0)} ms)`,
    ratio: COLD_START_MS / mine,
    aim: 1,
  };
}

function timed(program: string, args: readonly string[]): number {
  const began = performance.now();
  execFileSync(program, args, { stdio: 'ignore' });
  return performance.now() - began;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function idleMemory(system: System, agent: string): Promise<Row> {
  const device = await startDevice(system);
  await ensureCard(system, device);
  const empty = started(process.execPath, ['-e', 'setInterval(() => undefined, 1e6); console.log("up")']);
  const service = started(agent, ['run', '--json', '--tpm', device.tcti, '--store', device.store]);
  try {
    await said(empty, (line) => line === 'up');
    await said(service, (line) => JSON.parse(line).event === 'waiting');
    const [mine, floor] = [residentMb(service.pid), residentMb(empty.pid)];
    return {
      what: 'memory of the agent as a service, idle',
      ours: `${mine.toFixed(0)} MB resident`,
      floor: `${IDLE_MB} MB allowed (an empty Node: ${floor.toFixed(0)} MB)`,
      ratio: IDLE_MB / mine,
      aim: 1,
    };
  } finally {
    for (const child of [service, empty]) await ended(child);
    await device.tpm.stop();
  }
}

const started = (program: string, args: readonly string[]): ChildProcess =>
  spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });

async function said(child: ChildProcess, wanted: (line: string) => boolean): Promise<void> {
  const timer = setTimeout(() => child.kill(), DEADLINE_MS);
  try {
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
      if (wanted(line)) return;
  } finally {
    clearTimeout(timer);
  }
  throw new Error('the program ended, or said nothing of what was waited for in time');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function residentMb(pid: number | undefined): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}
