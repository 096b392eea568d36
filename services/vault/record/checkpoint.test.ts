import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { newProvider } from '../testing/provider.ts';
import { openCheckpointFile, readCheckpointFile } from './checkpoint.file.ts';
import { SLOT_BYTES } from './checkpoint.ts';
import { BEGINNING, type Head } from './entry.ts';
import { type RecordSigner, recordSigner } from './signer.ts';

let folder: string;
let path: string;
let signer: RecordSigner;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  path = join(folder, 'record-checkpoint');
  signer = await recordSigner(await newProvider());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = (n: number): Head => ({ sequence: BigInt(n), hash: new Uint8Array(32).fill(n) });
const sequence = async () => Number((await readCheckpointFile(path))?.head.sequence);

it('remembers the furthest head, in a file of its own, and never goes back but in a new epoch', async () => {
  expect(await readCheckpointFile(path)).toBeUndefined();
  const file = await openCheckpointFile(path, signer);
  expect(file.found).toBeUndefined();
  await Promise.all([1, 2, 3, 4, 5].map((n) => file.advance(head(n))));
  expect(await sequence()).toBe(5);
  await file.advance(head(3));
  expect(await sequence()).toBe(5);
  await file.beginEpoch(head(2));
  expect(await sequence()).toBe(2);
  await file.advance(head(3));
  await file.close();
  const again = await openCheckpointFile(path, signer);
  expect(again.found).toMatchObject({ epoch: 1, head: head(3), keyVersion: 1 });
  await again.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(path).size).toBe(2 * SLOT_BYTES);
});

it('is there before the first entry is', async () => {
  const file = await openCheckpointFile(path, signer);
  await file.advance(BEGINNING);
  expect(await sequence()).toBe(0);
  await file.advance(head(1));
  await file.advance(BEGINNING);
  expect(await sequence()).toBe(1);
  await file.close();
});

it('keeps the one before when a write is cut off, wherever', async () => {
  const file = await openCheckpointFile(path, signer);
  await file.advance(head(1));
  const before = readFileSync(path);
  await file.advance(head(2));
  await file.close();
  const after = readFileSync(path);
  for (let cut = 0; cut <= SLOT_BYTES; cut += 37) {
    writeFileSync(path, Buffer.concat([after.subarray(0, cut), Buffer.from(before).subarray(cut)]));
    expect([1, 2]).toContain(await sequence());
  }
});

it('with another number, another hash or another key is no checkpoint', async () => {
  const file = await openCheckpointFile(path, signer);
  await file.advance(head(7));
  await file.close();
  const text = readFileSync(path, 'latin1');
  const forged = [
    text.replace(' 7 ', ' 6 '),
    text.replace('0707', '0708'),
    text.replace(/[A-Za-z0-9+/]{20}==/, 'AAAA'),
  ];
  for (const one of forged) {
    expect(one).not.toBe(text);
    writeFileSync(path, one, 'latin1');
    await expect(readCheckpointFile(path)).rejects.toMatchObject({ code: 'vault-record-checkpoint-invalid' });
  }
});

it('is signed by a key of the vault: the same after a restart, another for another vault', async () => {
  const provider = await newProvider();
  const [first, again, other] = [await recordSigner(provider), await recordSigner(provider), signer];
  expect(Buffer.from(first.publicKey).equals(again.publicKey)).toBe(true);
  expect(Buffer.from(first.publicKey).equals(other.publicKey)).toBe(false);
});
