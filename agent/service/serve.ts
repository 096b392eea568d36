import { isDomainError } from '@cardwright/protocol';
import type { Context } from '../commands/command.ts';
import { DailyReports } from '../doctor/daily.ts';
import type { KnownServer } from '../store/document.ts';
import type { TaskWork } from '../tasks/task.ts';
import type { Log } from './log.ts';
import { type Looked, round } from './round.ts';
import { afterFailure, afterSuccess, atStart, isDue, type Schedule } from './schedule.ts';

/** One attempt may take this long; the next round is the retry. */
const TIMEOUT_MS = 20_000;
const ATTEMPTS = 2;
/** New servers (an enrolment meanwhile) and jumps of the clock (a laptop that slept) are noticed within this time. */
const LOOK_AGAIN_MS = 30_000;

export interface ServeOptions {
  readonly store: string | undefined;
  readonly tpm: string | undefined;
}

/** One round with every server, for `run --once`. Gives the codes of what did not work. */
export async function serveOnce(context: Context, options: ServeOptions, log: Log): Promise<string[]> {
  const stopping = context.service.stopping();
  const problems: string[] = [];
  for (const server of context.readStore(options.store).document.servers) {
    try {
      problems.push(...(await round(workFor(context, options, server, log), stopping, new Map())).unfinished);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      log('server-problem', { server: server.url, code: error.code });
      problems.push(error.code);
    }
  }
  return problems;
}

/**
 * Until SIGTERM. Servers are asked one after another, each on its own schedule; the store is read anew for each. SIGUSR2: all
 * are asked now.
 */
export async function serve(context: Context, options: ServeOptions, log: Log): Promise<void> {
  const stopping = context.service.stopping();
  const schedules = new Map<string, Schedule>();
  const looked: Looked = new Map();
  const reports = new DailyReports();
  log('started', { version: context.service.agentVersion, pid: process.pid });
  while (!stopping.aborted) {
    for (const server of knownServers(context, options, log)) {
      const known = schedules.get(server.url) ?? atStart(now(context), Math.random);
      schedules.set(server.url, known);
      if (stopping.aborted || !isDue(known, now(context))) continue;
      const next = await contact(context, options, server, known, log, stopping, looked);
      schedules.set(server.url, next);
      if (next.failures === 0 && !stopping.aborted) await tellReadiness(reports, context, options, server, log);
    }
    if (await untilNext(context, schedules, stopping)) schedules.forEach(dueNow);
  }
  log('stopped');
}

/** In passing: whatever goes wrong with it, the service goes on. */
async function tellReadiness(
  reports: DailyReports,
  context: Context,
  options: ServeOptions,
  server: KnownServer,
  log: Log,
): Promise<void> {
  try {
    const told = await reports.tellIfDue(context, options, server);
    if (told !== undefined) log('readiness', { server: server.url, ...told });
  } catch (error) {
    log('readiness-problem', { server: server.url, code: error instanceof Error ? error.name : typeof error });
  }
}

async function contact(
  context: Context,
  options: ServeOptions,
  server: KnownServer,
  schedule: Schedule,
  log: Log,
  stopping: AbortSignal,
  looked: Looked,
): Promise<Schedule> {
  let next: Schedule;
  let code: string | null = null;
  try {
    const { nextSeconds, unfinished } = await round(workFor(context, options, server, log), stopping, looked);
    next =
      unfinished.length === 0
        ? afterSuccess(now(context), nextSeconds, Math.random)
        : afterFailure(schedule, now(context), null, Math.random);
  } catch (error) {
    // A defect in one round is no reason to leave the device alone.
    code = isDomainError(error) ? error.code : `internal: ${error instanceof Error ? error.name : typeof error}`;
    const retryAfter = isDomainError(error) ? error.data?.retryAfterSeconds : undefined;
    const told = typeof retryAfter === 'number' ? retryAfter : null;
    next = afterFailure(schedule, now(context), told, Math.random);
  }
  const nextSeconds = Math.round((next.dueAt - now(context)) / 1000);
  if (code === null) log('waiting', { server: server.url, seconds: nextSeconds });
  else log('server-problem', { server: server.url, code, failures: next.failures, seconds: nextSeconds });
  return next;
}

/** A store that can't be read now (locked away, being restored) may be readable later. */
function knownServers(context: Context, options: ServeOptions, log: Log): readonly KnownServer[] {
  try {
    return context.readStore(options.store).document.servers;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    log('store-problem', { code: error.code });
    return [];
  }
}

async function untilNext(
  context: Context,
  schedules: ReadonlyMap<string, Schedule>,
  stopping: AbortSignal,
): Promise<boolean> {
  const soonest = Math.min(LOOK_AGAIN_MS, ...[...schedules.values()].map(({ dueAt }) => dueAt - now(context)));
  return await context.service.pause(Math.max(100, soonest), stopping);
}

function dueNow({ failures }: Schedule, url: string, schedules: Map<string, Schedule>): void {
  schedules.set(url, { dueAt: 0, failures });
}

const now = (context: Context): number => context.now().getTime();

export function workFor(context: Context, options: ServeOptions, known: KnownServer, log: Log): TaskWork {
  const signal = context.service.stopping();
  const server = context.server(known, { timeoutMs: TIMEOUT_MS, attempts: ATTEMPTS, signal });
  return { context, storeDirectory: options.store, tpm: options.tpm, serverUrl: known.url, server, log };
}
