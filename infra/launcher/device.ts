import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import { readPrivateFile, writePrivateFile } from '../processes/private-file.ts';
import { inRepository } from '../repository/root.ts';
import { trustMaker } from '../software-tpm/maker.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../software-tpm/start.ts';
import { callApi } from './api-call.ts';
import { makePin } from './pin.ts';
import { baseEnvironment } from './services.ts';
import type { System } from './system.ts';

export interface EnrolledDevice {
  readonly tpm: SoftwareTpm;
  readonly tcti: string;
  /** The agent's store. */
  readonly store: string;
  /** Where the card's PIN is written, for this demonstration only: the PIN of a person is in nobody's file. */
  readonly pinFile: string;
}

const PERSON = {
  displayName: 'Dana Example',
  userPrincipalName: 'dana@cardwright.example',
  email: 'dana@cardwright.example',
};

/** Makes the software TPM, or starts or adopts it; gives where its device's files are. */
export async function startDevice(system: Pick<System, 'data'>): Promise<EnrolledDevice> {
  const { device } = system.data;
  const stateDir = join(device, 'tpm');
  const tpm = await startSoftwareTpm({ stateDir });
  trustMaker(stateDir, system.data.tpmRoots, 'trial-device');
  const store = join(device, 'store');
  mkdirSync(store, { recursive: true, mode: 0o700 });
  return { tpm, tcti: tpm.tcti, store, pinFile: join(device, 'pin') };
}

/**
 * Has the real agent enrol one card over HTTP, once. The code and the PIN are kept until it is done: after a crash at any
 * point the same command is run again with the same code, as a person at the device would. Gives the agent's last line.
 * Error: `agent-failed` (unavailable).
 */
export async function ensureCard(system: System, device: EnrolledDevice): Promise<string> {
  const folder = system.data.device;
  const [doneFile, codeFile] = [join(folder, 'enrolled'), join(folder, 'enrolment-code')];
  if (existsSync(doneFile)) return 'kept the card of an earlier start';
  if (readPrivateFile(device.pinFile) === null) writePrivateFile(device.pinFile, `${makePin()}\n`);
  const kept = readPrivateFile(codeFile);
  const first = await enrol(system, device, kept ?? (await newCode(system, codeFile)));
  // A code kept from an earlier start may have expired since: then, and only then, a new one is right.
  const last = kept !== null && first.code !== 0 ? await enrol(system, device, await newCode(system, codeFile)) : first;
  if (last.code !== 0) {
    throw new DomainError('unavailable', 'agent-failed', `The agent did not enrol the card:\n${indent(last.output)}`);
  }
  writePrivateFile(doneFile, `${new Date().toISOString()}\n`);
  rmSync(codeFile, { force: true });
  return last.output.trim().split('\n').at(-1) ?? '';
}

async function newCode(system: System, file: string): Promise<string> {
  const token = system.tokens.helpdesk;
  const query = `userPrincipalName=${encodeURIComponent(PERSON.userPrincipalName)}`;
  const found = await callApi<{ items: { id: string }[] }>(system.url, token, 'GET', `/people?${query}`);
  const person = found.items[0] ?? (await callApi<{ id: string }>(system.url, token, 'POST', '/people', PERSON));
  const made = await callApi<{ code: string }>(system.url, token, 'POST', '/enrolments', { personId: person.id });
  writePrivateFile(file, `${made.code}\n`);
  return made.code;
}

async function enrol(
  system: System,
  device: EnrolledDevice,
  code: string,
): Promise<{ code: number | null; output: string }> {
  const pin = readPrivateFile(device.pinFile) ?? '';
  const where = ['--server', system.url, '--tpm', device.tcti, '--store', device.store];
  return runAgent(['enrol', ...where, '--code', code, '--pin-stdin'], `${pin}\n`);
}

function runAgent(args: readonly string[], input: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [inRepository('agent', 'dist', 'main.js'), ...args], {
      env: baseEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-20_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
    child.stdin.on('error', () => undefined); // an agent that refuses its arguments ends before it reads the PIN
    child.stdin.end(input);
  });
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
