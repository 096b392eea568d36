import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDevice } from './device.linux.ts';

// No machine of the tests has a TPM device: what can be had is a file that answers wrongly.
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cardwright-device-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const COMMAND = Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 0x7b);

test('no device', async () => {
  await expect(openDevice(join(directory, 'none'))).rejects.toMatchObject({ code: 'tpm-unreachable' });
});

test('a device that this user may not open', async () => {
  const path = join(directory, 'closed');
  await writeFile(path, '');
  await chmod(path, 0);
  const user = process.geteuid?.() ?? 0;
  if (user === 0) process.seteuid?.(65_534); // root may open anything: look as nobody
  try {
    await expect(openDevice(path)).rejects.toMatchObject({ kind: 'forbidden', code: 'tpm-access-denied' });
  } finally {
    if (user === 0) process.seteuid?.(0);
  }
});

/** The command goes over the first bytes of a plain file; what is read is what comes after it. */
test.each([
  ['tpm-unreachable', []],
  ['tpm-response-cut-short', [0x80, 1, 0, 0]],
  ['tpm-response-cut-short', [0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0]],
  ['tpm-response-malformed', [0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0]],
  ['tpm-response-malformed', [0x80, 1, 0, 0, 0x7f, 0, 0, 0, 0, 0]],
])('%s: the answer %j', async (code, answer) => {
  const path = join(directory, 'file');
  await writeFile(path, Uint8Array.from([...COMMAND, ...answer]));
  const device = await openDevice(path);
  await expect(device.exchange(COMMAND, 5_000)).rejects.toMatchObject({ code });
  await expect(device.exchange(COMMAND, 5_000)).rejects.toMatchObject({ code });
  await device.close();
});

test('a whole answer', async () => {
  const path = join(directory, 'file');
  await writeFile(path, Uint8Array.from([...COMMAND, 0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0]));
  const device = await openDevice(path);
  expect(await device.exchange(COMMAND, 5_000)).toEqual(Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0));
  expect(device.managed).toBe(false);
  await device.close();
});

test('only the resource manager’s device is managed', async () => {
  const path = join(directory, 'tpmrm0');
  await writeFile(path, '');
  const device = await openDevice(path);
  expect(device.managed).toBe(true);
  await device.close();
});
