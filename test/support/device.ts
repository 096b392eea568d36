import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository, type SoftwareTpm, startSoftwareTpm, until } from '@cardwright/infra';
import { type Ran, type Running, run, start } from './run.ts';
import { runFolder } from './run-folder.ts';

const AGENT = inRepository('agent', 'bin', 'cardwright-agent.mjs');

/** A computer: a TPM (software, but a real one) and a folder where the real agent keeps its store. */
export interface Device {
  readonly directory: string;
  readonly store: string;
  readonly tpm: SoftwareTpm;
  agent(args: readonly string[], options?: { input?: string; env?: Readonly<Record<string, string>> }): Promise<Ran>;
  /** Runs to where the challenge is shown; `finish` types the response into the same process. */
  startUnblock(
    newPin: string,
    args?: readonly string[],
  ): Promise<{ challenge: string; finish(response: string): Promise<Ran> }>;
  /** Runs to where the confirmation code is shown. */
  startOnlineUnblock(newPin: string): Promise<{ confirmationCode: string; ended: Promise<Ran> }>;
  /** Runs to where the challenge of the TPM's lockout is shown. */
  startLockoutReset(): Promise<{ challenge: string; finish(response: string): Promise<Ran> }>;
  /** The same computer with another store: as before any card of it was made. */
  withStore(store: string): Device;
  remove(): Promise<void>;
}

export async function newDevice(): Promise<Device> {
  const directory = mkdtempSync(join(runFolder(), 'device-'));
  const stateDir = join(directory, 'tpm');
  mkdirSync(stateDir, { mode: 0o700 });
  const tpm = await startSoftwareTpm({ stateDir });
  return deviceOn(directory, tpm, join(directory, 'store'));
}

function deviceOn(directory: string, tpm: SoftwareTpm, store: string): Device {
  const env = { CARDWRIGHT_TPM: tpm.tcti, CARDWRIGHT_STORE: store };
  const startAgent = (args: readonly string[]) => start(process.execPath, [AGENT, ...args], { env, seconds: 120 });

  /** Its challenge, and how to type the response into the same process. */
  async function challenged(program: Running) {
    const shown = await printedJson<{ challenge: string[] }>(program);
    return {
      challenge: shown.challenge.join('\n'),
      finish: (response: string) => {
        program.child.stdin?.end(`${response}\n`);
        return program.ended;
      },
    };
  }

  return {
    ...{ directory, store, tpm },
    agent: (args, options = {}) =>
      run(process.execPath, [AGENT, ...args], { ...options, env: { ...env, ...options.env }, seconds: 120 }),
    async startUnblock(newPin, args = []) {
      const program = startAgent(['unblock', ...args, '--json', '--pin-stdin', '--response-stdin']);
      program.child.stdin?.write(`${newPin}\n`);
      return challenged(program);
    },
    async startOnlineUnblock(newPin) {
      const program = startAgent(['unblock', '--online', '--json', '--pin-stdin']);
      program.child.stdin?.end(`${newPin}\n`);
      const { confirmationCode } = await printedJson<{ confirmationCode: string }>(program);
      return { confirmationCode, ended: program.ended };
    },
    startLockoutReset: () => challenged(startAgent(['reset-lockout', '--json', '--response-stdin'])),
    withStore: (other) => deviceOn(directory, tpm, other),
    async remove() {
      await tpm.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The first line of JSON that a running agent prints. */
async function printedJson<T>(program: Running): Promise<T> {
  let over: Ran | undefined;
  void program.ended.then((ran) => {
    over = ran;
  });
  const line = await until({ what: 'the agent to print', seconds: 30 }, () => {
    if (program.output().includes('\n')) return program.output().split('\n')[0];
    if (over !== undefined) throw new Error(`the agent ended first: ${over.stderr}`);
    return null;
  });
  return JSON.parse(line as string) as T;
}
