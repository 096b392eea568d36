import { randomBytes } from 'node:crypto';
import { type Bytes, TPM_CC, u32 } from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeTpm, handlesInUse } from './capability.ts';
import { PolicySession } from './policy-session.ts';
import { StorageRoots } from './storage-root.ts';
import { openSocket } from './stream.socket.ts';
import { parseTcti } from './tcti.ts';
import { type SoftwareTpm, startSoftwareTpm } from './testing/software-tpm.process.ts';
import { Tpm } from './tpm.ts';
import type { Transport } from './transport.ts';
import { openTpm } from './wire.ts';

let device: SoftwareTpm;
let open: Tpm | undefined;
beforeAll(async () => {
  device = await startSoftwareTpm();
});
afterEach(async () => {
  await open?.close();
  open = undefined;
});
afterAll(() => device.stop());

/** Our TPM with something between that alters commands' responses: `alter` gives what comes back instead. */
async function openThrough(alter: (response: Bytes, command: Bytes) => Bytes): Promise<{ tpm: Tpm; pauses: number[] }> {
  const tcti = parseTcti(device.tcti);
  if (tcti.kind !== 'tcp') throw new Error('the device is to be on TCP');
  const real = await openSocket(tcti);
  const between: Transport = {
    target: real.target,
    managed: real.managed,
    exchange: async (command, timeoutMs) => alter(await real.exchange(command, timeoutMs), command),
    close: () => real.close(),
  };
  const pauses: number[] = [];
  const pause = async (milliseconds: number) => {
    pauses.push(milliseconds);
  };
  open = new Tpm(between, { random: (bytes) => new Uint8Array(randomBytes(bytes)), pause });
  return { tpm: open, pauses };
}

const warning = (rc: number): Bytes => Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, ...u32(rc));

test('says what it is', async () => {
  open = await openTpm(device.tcti);
  const facts = await describeTpm(open);
  expect(facts).toMatchObject({ manufacturer: 'IBM', revision: expect.stringMatching(/^1\.\d\d$/) });
  expect(facts.firmware).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
});

test.each([0x922, 0x920, 0x90a, 0x908, 0x923])('warning %i: the command is sent again until it is done', async (rc) => {
  let left = 3;
  const { tpm, pauses } = await openThrough((response) => (left-- > 0 ? warning(rc) : response));
  expect((await describeTpm(tpm)).manufacturer).toBe('IBM');
  expect(pauses).toEqual([1, 2, 4]);
});

test('a TPM that stays busy is given up', async () => {
  const { tpm, pauses } = await openThrough(() => warning(0x922));
  await expect(describeTpm(tpm)).rejects.toMatchObject({ kind: 'unavailable', code: 'tpm-busy' });
  expect(pauses.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(4_000);
  expect(pauses.length).toBeLessThan(50);
});

test.each([
  [0x902, 'tpm-busy'],
  [0x921, 'tpm-locked-out'],
  [0x101, 'tpm-failed'],
])('response code %i is not asked again', async (rc, code) => {
  const { tpm, pauses } = await openThrough(() => warning(rc));
  await expect(describeTpm(tpm)).rejects.toMatchObject({ code });
  expect(pauses).toEqual([]);
});

test.each<[string, (response: Bytes) => Bytes]>([
  ['another size than it has', (response) => Uint8Array.from([...response.slice(0, 5), 99, ...response.slice(6)])],
  ['a tag of sessions that were not sent', (response) => Uint8Array.from([0x80, 0x02, ...response.slice(2)])],
  ['parameters that end early', () => Uint8Array.of(0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0)],
])('a response with %s is malformed', async (_, alter) => {
  const { tpm } = await openThrough(alter);
  await expect(describeTpm(tpm)).rejects.toMatchObject({ kind: 'unprocessable', code: 'tpm-response-malformed' });
});

test('responses damaged at any one byte are refused or harmless, never a crash', async () => {
  let at = -1;
  const { tpm } = await openThrough((response) => {
    const damaged = Uint8Array.from(response);
    if (at >= 0) damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ 0xff;
    return damaged;
  });
  const codes = new Set<string>();
  for (at = 0; at < 280; at++) {
    await describeTpm(tpm).catch((error: { code?: string }) => codes.add(error.code ?? String(error)));
  }
  at = -1;
  const known = ['tpm-refused', 'tpm-response-malformed', 'tpm-busy'];
  expect([...codes].filter((code) => !known.includes(code))).toEqual([]);
  expect(codes.has('tpm-response-malformed')).toBe(true);
});

test('a nonce that is not of 16 bytes is not taken for a challenge', async () => {
  const { tpm } = await openThrough((response, command) => {
    if (command[9] !== (TPM_CC.StartAuthSession & 0xff)) return response;
    return Uint8Array.from([...response.slice(0, 5), 30, ...response.slice(6, 14), 0, 14, ...response.slice(16, 30)]);
  });
  await expect(PolicySession.start(tpm)).rejects.toMatchObject({ code: 'tpm-response-malformed' });
  expect(await handlesInUse(tpm, 0x02000000, 0x03ffffff)).toEqual([]);
});

test('what a killed client left in a bare TPM does not stop the next', async () => {
  for (let round = 0; round < 6; round++) {
    const tpm = await openTpm(device.tcti);
    const roots = new StorageRoots(tpm);
    await roots.session(await roots.current());
    await PolicySession.start(tpm);
    await PolicySession.start(tpm);
    await tpm.close(); // with nothing flushed, as after kill -9
  }
  open = await openTpm(device.tcti);
  expect(await handlesInUse(open, 0x80000000, 0x80ffffff)).toEqual([]);
  expect(await handlesInUse(open, 0x02000000, 0x03ffffff)).toEqual([]);
});

test('a fourth session does not fit into a bare TPM, and says so', async () => {
  open = await openTpm(device.tcti);
  for (let i = 0; i < 3; i++) await PolicySession.start(open);
  await expect(PolicySession.start(open)).rejects.toMatchObject({ kind: 'unavailable', code: 'tpm-busy' });
});

test('a client that holds the TPM makes the next one time out, with a message that says so', async () => {
  open = await openTpm(device.tcti);
  const tcti = parseTcti(device.tcti);
  if (tcti.kind !== 'tcp') throw new Error('the device is to be on TCP');
  const second = await openSocket(tcti);
  const asking = second.exchange(Uint8Array.of(0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 1), 200);
  await expect(asking).rejects.toMatchObject({
    code: 'tpm-timeout',
    detail: expect.stringContaining('one client at a time'),
  });
  await second.close();
});

test('a TPM that disappears: unreachable, at once and for every command after', async () => {
  const own = await startSoftwareTpm('unix');
  try {
    const tpm = await openTpm(own.tcti);
    await own.kill();
    await expect(describeTpm(tpm)).rejects.toMatchObject({ kind: 'unavailable', code: 'tpm-unreachable' });
    await expect(describeTpm(tpm)).rejects.toMatchObject({ code: 'tpm-unreachable' });
    await tpm.close();
    await expect(openTpm(own.tcti)).rejects.toMatchObject({ code: 'tpm-unreachable' });
  } finally {
    await own.stop();
  }
});
