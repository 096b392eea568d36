import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isDomainError } from '@cardwright/protocol';
import { writePrivateFile } from '../processes/private-file.ts';
import { inRepository } from '../repository/root.ts';
import { HELP, type LauncherArguments, parseArguments } from './arguments.ts';
import { type EnrolledDevice, ensureCard, startDevice } from './device.ts';
import { beginStep } from './progress.ts';
import { reset } from './reset.ts';
import { runRecord, summary } from './summary.ts';
import { type System, startSystem } from './system.ts';

/** `npm start`, after the set-up: starts everything, enrols the first card, and stays until it is told to end. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parseArguments(argv, process.env, inRepository('.data'));
    if (options.help) {
      process.stdout.write(HELP);
      return 0;
    }
    if (options.reset && !(await reset(options))) {
      process.stdout.write('Nothing was deleted.\n');
      return 1;
    }
    return await run(options);
  } catch (error) {
    if (error instanceof Interrupted) {
      process.stdout.write('\nStopped.\n');
      return 130;
    }
    process.stderr.write(`\n${isDomainError(error) ? error.detail : (error as Error).stack}\n`);
    return 1;
  }
}

class Interrupted extends Error {}

async function run(options: LauncherArguments): Promise<number> {
  // A reader that went away (npm start | head) must not end us before what we started has ended.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const interruption = whenInterrupted();
  const onStep = (name: string) => {
    if (interruption.seen()) throw new Interrupted();
    return beginStep(name);
  };
  process.stdout.write('Starting Cardwright\n');
  const { dataDir, port, databaseUrl, vault } = options;
  const ownDatabase = databaseUrl === undefined ? {} : { databaseUrl };
  const system = await startSystem({ dataDir, port, onStep, environment: { vault }, ...ownDatabase });
  let device: EnrolledDevice | null = null;
  try {
    device = await openDevice(system, onStep);
    writePrivateFile(system.data.runFile, `${JSON.stringify(runRecord(system, device), null, 2)}\n`);
    process.stdout.write(summary(system, device, process.stdout.isTTY === true));
    const ended = await Promise.race([interruption.promise, firstEnd(system)]);
    if (ended === null) return 0;
    process.stderr.write(`\n${ended}\n`);
    return 1;
  } finally {
    const done = beginStep('Stopping');
    await device?.tpm.stop();
    await system.stop();
    done('everything that was started has ended');
  }
}

/** A device that can't be made does not take the rest down: the reason is said, and the console works. */
async function openDevice(system: System, onStep: typeof beginStep): Promise<EnrolledDevice | null> {
  const missing = ['swtpm', 'swtpm_setup'].filter((program) => !installed(program));
  if (missing.length > 0) {
    process.stdout.write(`  No device: ${missing.join(' and ')} not installed (the line to install them is above)\n`);
    return null;
  }
  let device: EnrolledDevice | null = null;
  try {
    const started = onStep('Starting a software TPM');
    device = await startDevice(system);
    started(device.tpm.adopted ? 'adopted the one left running' : undefined);
    const enrolled = onStep('Enrolling a card on it with the agent');
    enrolled(await ensureCard(system, device));
    return device;
  } catch (error) {
    if (!isDomainError(error)) {
      await device?.tpm.stop();
      throw error;
    }
    process.stdout.write(`failed\n  ${error.detail}\n`);
    return device;
  }
}

function installed(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Resolves with what to tell when one of the processes ends by itself. None is started again: say it, and stop. */
async function firstEnd(system: System): Promise<string> {
  return Promise.race(
    Object.values(system.processes).map(async (service) => {
      const { code, signal } = await service.exited();
      return `${service.name} ended unexpectedly (${signal ?? `code ${code}`}). Its log: ${service.logFile}`;
    }),
  );
}

function whenInterrupted(): { promise: Promise<null>; seen(): boolean } {
  let seen = false;
  const promise = new Promise<null>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!seen) process.stdout.write('\n');
        seen = true;
        resolve(null);
      });
    }
  });
  return { promise, seen: () => seen };
}
