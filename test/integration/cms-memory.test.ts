import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerPerson } from '../support/people.ts';
import { sealKey } from '../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/**
 * What a core dump and a heap snapshot of a running cms hold after it had cards imported and unblocked: no administrator
 * key in any spelling. The core is made here, of every page that the process can write, because gdb also writes out the
 * gigabytes that WebAssembly only reserves.
 */
let system: TestSystem;
let folder: string;
/** Neither of the bytes that end a line of what is searched or a pattern. */
const key = Buffer.from([...randomBytes(24)].map((byte) => (byte === 0 || byte === 0x0a ? 0x5a : byte)));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cw-memory-'));
  const NODE_OPTIONS = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;
  system = await startTestSystem({ environment: { cms: { NODE_OPTIONS } } });
}, 120_000);
afterAll(async () => {
  await system?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function spellings(of: Buffer): Buffer[] {
  const hex = of.toString('hex');
  const texts = [hex, hex.toUpperCase(), hex.replace(/(.{4})(?=.)/g, '$1 '), of.toString('base64').replace(/=+$/, '')];
  return [of, ...[...texts, of.toString('base64url'), [...of].join(',')].map((text) => Buffer.from(text))];
}

/** Files of hundreds of megabytes, full of zeros: grep takes each NUL for the end of a line. */
async function finds(file: string, wanted: readonly Buffer[]): Promise<boolean> {
  const patterns = join(folder, 'patterns');
  writeFileSync(patterns, Buffer.concat(wanted.flatMap((one) => [one, Buffer.from('\n')])));
  const args = ['-z', '-a', '-q', '-F', '-f', patterns, file];
  const [status] = await once(spawn('grep', args, { env: { PATH: process.env.PATH, LC_ALL: 'C' } }), 'close');
  if (status !== 0 && status !== 1) throw new Error(`grep ended with ${status}`);
  return status === 0;
}

async function unblock(cardId: string): Promise<string> {
  const helpdesk = system.as('helpdesk');
  const verification = { method: 'video', evidence: 'seen' };
  const session = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, { verification, reason: 'forgot the PIN' });
  const challenge = randomBytes(8).toString('hex');
  const answered = await helpdesk.post(`/unblock-sessions/${session.body.id}/responses`, { challenge });
  expect(answered.status).toBe(201);
  return session.body.id;
}

/** All data that a core dump would have, as root on the host of cms can take it: of a process that stands still. */
function writeCore(pid: number, path: string): void {
  process.kill(pid, 'SIGSTOP');
  const [memory, core] = [openSync(`/proc/${pid}/mem`, 'r'), openSync(path, 'w', 0o600)];
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      // What can't be written is the program and the kernel's own pages.
      if (from === undefined) continue;
      const end = BigInt(`0x${to}`);
      for (let at = BigInt(`0x${from}`); at < end; ) {
        const part = Buffer.alloc(Number(end - at < 1n << 24n ? end - at : 1n << 24n));
        const length = readSync(memory, part, 0, part.length, at);
        if (length === 0) break;
        writeSync(core, part, 0, length);
        at += BigInt(length);
      }
    }
  } finally {
    closeSync(memory);
    closeSync(core);
    process.kill(pid, 'SIGCONT');
  }
}

async function heapSnapshot(pid: number): Promise<string> {
  process.kill(pid, 'SIGUSR2');
  let size = -1;
  return until({ what: 'the heap snapshot', seconds: 60, everyMs: 500 }, () => {
    const name = readdirSync(folder).find((one) => one.endsWith('.heapsnapshot'));
    if (name === undefined) return null;
    // Whole when it grows no more.
    const before = size;
    size = statSync(join(folder, name)).size;
    return size > 0 && size === before ? join(folder, name) : null;
  });
}

it('has no administrator key, after it was imported and answered with', { timeout: 180_000 }, async () => {
  const person = await registerPerson(system, 'Ada Lovelace');
  const serial = `OLD-${randomBytes(4).toString('hex').toUpperCase()}`;
  const administratorKey = await sealKey(system, serial, key.toString('hex'));
  const card = { personId: person.id, serial, algorithm: 'tdes', administratorKey };
  const made = await system.as('security-officer').post('/cards', card);
  expect(made.status).toBe(201);
  for (let n = 0; n < 5; n++) await unblock(made.body.id);
  // What cms is busy with, to see that the search finds what is there: the name of a card that is asked for just before.
  const planted = `Planted ${randomBytes(12).toString('hex')}`;
  const plant = async () => {
    for (let n = 0; n < 50; n++) await system.as('helpdesk').get(`/people?q=${encodeURIComponent(planted)}`);
  };

  const pid = system.processes.cms.pid();
  await plant();
  const coreFile = join(folder, 'core');
  writeCore(pid, coreFile);
  expect(statSync(coreFile).size).toBeGreaterThan(50_000_000);
  expect(await finds(coreFile, [Buffer.from(planted), Buffer.from(encodeURIComponent(planted))])).toBe(true);
  expect(await finds(coreFile, spellings(key))).toBe(false);

  await plant();
  const snapshot = await heapSnapshot(pid);
  // A snapshot has what is alive: the serial stands in a query's cache or not, the schema of the routes always.
  expect(await finds(snapshot, [Buffer.from('unblock-sessions')])).toBe(true);
  expect(await finds(snapshot, spellings(key))).toBe(false);
});
