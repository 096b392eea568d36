import { KEY_TYPE_NAMES, Secret } from '@cardwright/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, type Meddled, openMeddled, refusing } from '../../tpm/testing/meddling.socket.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import type { CardMaker } from '../port.ts';
import { type MadeCard, makeCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';
import { keyTemplate } from './key-template.ts';
import { decodeStored } from './stored.ts';

const TEST_PARMS = 0x18a;
const CREATE = 0x153;
let device: SoftwareTpm;
let meddled: Meddled;
let maker: CardMaker;
let made: MadeCard;
beforeAll(async () => {
  device = await startSoftwareTpm();
  meddled = await openMeddled(device.tcti);
  maker = tpmCardMaker(meddled.tpm);
  made = await makeCard(maker, '123456');
});
afterAll(async () => {
  await maker.close();
  await device.stop();
});

/** TPM_RC_VALUE and TPM_RC_CURVE for the first parameter: how TPMs say that they have no such keys. */
test.each([
  ['rsa-3072', 0x1c4],
  ['ec-p384', 0x1e6],
] as const)('a TPM without %s says so before it is asked for one', async (keyType, rc) => {
  const codes: number[] = [];
  meddled.meddle({
    answer: (command) => {
      codes.push(codeOf(command));
      return codeOf(command) === TEST_PARMS ? refusing(rc) : undefined;
    },
  });
  await expect(maker.makeKey(made.record, keyType)).rejects.toMatchObject({
    kind: 'conflict',
    code: 'key-type-not-supported',
    detail: expect.stringContaining(keyType),
    data: { keyType },
  });
  meddled.meddle({});
  expect(codes).toContain(TEST_PARMS);
  expect(codes).not.toContain(CREATE);
  await maker.makeKey(made.record, 'ec-p256');
});

test('what a profile asks for is known before anything is made', async () => {
  const codes: number[] = [];
  let asked = 0;
  meddled.meddle({
    answer: (command) => {
      codes.push(codeOf(command));
      return codeOf(command) === TEST_PARMS && ++asked === 2 ? refusing(0x1c4) : undefined;
    },
  });
  const wanted = ['ec-p256', 'ec-p256', 'rsa-3072', 'ec-p384'] as const;
  await expect(maker.requireKeyTypes(wanted)).rejects.toMatchObject({
    code: 'key-type-not-supported',
    data: { keyType: 'rsa-3072' },
  });
  expect(codes).toEqual([TEST_PARMS, TEST_PARMS]);
  meddled.meddle({});
  await maker.requireKeyTypes(wanted);
});

test('a TPM that is busy is not one that lacks a key type', async () => {
  meddled.meddle({ answer: (command) => (codeOf(command) === TEST_PARMS ? refusing(0x921) : undefined) });
  await expect(maker.makeKey(made.record, 'ec-p384')).rejects.toMatchObject({ code: 'tpm-locked-out' });
  meddled.meddle({});
});

test('every key type fits into what the store takes of a blob, and is what its template asked for', async () => {
  for (const keyType of KEY_TYPE_NAMES) {
    const blob = await maker.makeKey(made.record, keyType);
    expect(blob.length, keyType).toBeLessThan(4096);
    const { parsed } = decodeStored(blob);
    const template = keyTemplate(keyType, parsed.authPolicy);
    // All but the unique part, which the TPM fills in.
    const same = template.length - (parsed.kind === 'ecc' ? 4 : 2);
    expect(Buffer.from(parsed.bytes.subarray(0, same))).toEqual(Buffer.from(template.subarray(0, same)));
  }
});

test('thirty keys of one card: one PIN for all, none takes a place in the TPM, and one change changes it for all', async () => {
  const card = await makeCard(maker, '271828');
  const keys: Uint8Array[] = [];
  for (let i = 0; i < 30; i++) keys.push(await maker.makeKey(card.record, i % 2 === 0 ? 'ec-p256' : 'ec-p384'));
  const distinct = new Set(keys.map((key) => Buffer.from(maker.keyPublic(key)).toString('hex')));
  expect(distinct.size).toBe(30);
  const sign = (key: Uint8Array, pin: string) =>
    card.card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: Secret.fromText(pin) });
  for (const key of keys) await sign(key, '271828');
  await card.card.changePin(
    Secret.fromText('271828'),
    Secret.fromText('314159'),
    card.vault.approveSelfChange(card.record.slot),
  );
  for (const key of keys) await sign(key, '314159');
  await expect(sign(keys[29] ?? new Uint8Array(), '271828')).rejects.toMatchObject({ data: { triesLeft: 4 } });
  await maker.discard(card.record.slot, card.vault.name);
});
