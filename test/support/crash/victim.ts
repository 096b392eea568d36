import { type Ran, type Running, type RunOptions, start } from '../run.ts';
import type { Crossings } from './crossings.ts';

/** What is killed with SIGKILL, and starts again by itself or is started again. */
export interface Victim {
  readonly name: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** The program that a person or a timer runs, one at a time: an agent, a command. Nothing starts it again by itself. */
export interface Driver extends Victim {
  run(command: string, args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** What runs now, for who holds it at a point of its own. */
  running(): Running | undefined;
}

export function createDriver(name: string): Driver {
  let running: Running | undefined;
  return {
    name,
    running: () => running,
    async run(command, args, options = {}) {
      const program = start(command, args, { seconds: 120, ...options });
      running = program;
      program.child.stdin?.end(options.input ?? '');
      const ran = await program.ended;
      if (running === program) running = undefined;
      return ran;
    },
    async kill() {
      const program = running;
      if (program === undefined) throw new Error(`no ${name} runs`);
      program.child.kill('SIGKILL');
      await program.ended;
    },
    start: async () => undefined,
  };
}

/**
 * Lets `act` run until that point, kills the victim there, and has it started again at once, as a supervisor would, while
 * the act goes on or fails. Resolves when the act has ended and the victim is back.
 */
export async function killAt(
  crossings: Crossings,
  point: string,
  victim: Victim,
  act: () => Promise<unknown>,
): Promise<void> {
  let back: Promise<void> = Promise.resolve();
  const strike = async () => {
    await victim.kill();
    back = victim.start();
    back.catch(() => undefined); // it is awaited below
    return victim.name;
  };
  await crossings.at(point, strike, act);
  await back;
}
