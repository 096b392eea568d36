import { randomBytes } from 'node:crypto';
import { type Bytes, pinIndex, TPM_CC } from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { defineSpace, undefineSpace } from './nv.ts';
import { type StorageRoot, StorageRoots } from './storage-root.ts';
import { openSocket } from './stream.socket.ts';
import { parseTcti } from './tcti.ts';
import { type SoftwareTpm, startSoftwareTpm } from './testing/software-tpm.process.ts';
import { Tpm } from './tpm.ts';

const NONE = new Uint8Array();
const index = pinIndex({ nvIndex: 0x01800000, administratorKeyName: Uint8Array.from([0, 11, ...new Uint8Array(32)]) });
const AUTH = new Uint8Array(randomBytes(32));

let device: SoftwareTpm;
let tpm: Tpm;
let alter: (response: Bytes, command: Bytes) => Bytes = (response) => response;
const sent: Buffer[] = [];
beforeAll(async () => {
  device = await startSoftwareTpm();
  const tcti = parseTcti(device.tcti);
  if (tcti.kind !== 'tcp') throw new Error('the device is to be on TCP');
  const real = await openSocket(tcti);
  const exchange = async (command: Bytes, timeoutMs: number) => {
    sent.push(Buffer.from(command));
    return alter(await real.exchange(command, timeoutMs), command);
  };
  const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
  const between = { target: real.target, managed: false, exchange, close: () => real.close() };
  tpm = new Tpm(between, { random, pause: async () => undefined });
});
afterEach(() => {
  alter = (response) => response;
});
afterAll(async () => {
  await tpm.close();
  await device.stop();
});

async function secure() {
  const roots = new StorageRoots(tpm);
  const root = await roots.current();
  return { roots, root, session: await roots.session(root) };
}

test('a parameter travels enciphered, and arrives: its holder proves it by HMAC', async () => {
  const { roots, session } = await secure();
  sent.length = 0;
  await defineSpace(tpm, session.proving(NONE, 'hide-first'), AUTH, index.nvPublic);
  expect(sent).toHaveLength(1);
  expect(sent.some((command) => command.includes(Buffer.from(AUTH)))).toBe(false);
  expect(sent.some((command) => command.includes(Buffer.from(index.nvPublic)))).toBe(true);
  await undefineSpace(tpm, session.proving(NONE, 'nothing-to-hide'), {
    handle: 0x01800000,
    name: index.definedName,
  });
  await roots.release();
});

test.each([
  ['its HMAC', (response: Uint8Array) => response.length - 1],
  ['its nonce', () => 10 + 4 + 2],
  ['its attributes', () => 10 + 4 + 2 + 16],
])('a response with %s changed is forged', async (_, where) => {
  const { roots, session } = await secure();
  alter = (response, command) => {
    if (command[9] !== (TPM_CC.NV_DefineSpace & 0xff)) return response;
    const at = where(response);
    return response.map((byte, i) => (i === at ? byte ^ 1 : byte));
  };
  const defining = defineSpace(tpm, session.proving(NONE, 'hide-first'), AUTH, index.nvPublic);
  await expect(defining).rejects.toMatchObject({ kind: 'unprocessable', code: 'tpm-response-forged' });
  alter = (response) => response;
  await roots.release();
  const again = await secure();
  const there = { handle: 0x01800000, name: index.definedName };
  await undefineSpace(tpm, again.session.proving(NONE, 'nothing-to-hide'), there);
  await again.roots.release();
});

test('a storage key put in the place of ours between us and the TPM is noticed by its Name', async () => {
  const first = await secure();
  const name = first.root.name;
  await first.roots.release();
  alter = (response, command) => {
    if (command[9] !== (TPM_CC.CreatePrimary & 0xff)) return response;
    // The point of another key: the salt would be shared with whoever holds that.
    const other = otherPoint(first.root);
    const at = Buffer.from(response).indexOf(
      Buffer.from(first.root.parsed.kind === 'ecc' ? first.root.parsed.x : NONE),
    );
    return Uint8Array.from(Buffer.concat([response.slice(0, at), other, response.slice(at + other.length)]));
  };
  const roots = new StorageRoots(tpm);
  await expect(roots.named(name)).rejects.toMatchObject({ kind: 'conflict', code: 'card-of-another-device' });
  await roots.release();
});

/** x and y with their sizes, of the point mirrored at the x-axis: it is on the curve as well. */
function otherPoint(root: StorageRoot): Uint8Array {
  if (root.parsed.kind !== 'ecc') throw new Error('an ECC root is expected');
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const y = (p - BigInt(`0x${Buffer.from(root.parsed.y).toString('hex')}`)).toString(16).padStart(64, '0');
  return Uint8Array.from(Buffer.concat([root.parsed.x, Uint8Array.of(0, 32), Buffer.from(y, 'hex')]));
}
