import { Secret } from '@cardwright/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import { makeCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';

let device: SoftwareTpm;
beforeAll(async () => {
  device = await startSoftwareTpm();
});
afterAll(() => device.stop());

test('smoke', async () => {
  const maker = tpmCardMaker(await openTpm(device.tcti));
  console.log(await maker.describe());
  const { card, record, vault } = await makeCard(maker, '123456');
  expect(await card.tries()).toEqual({ left: 5, limit: 5 });
  const key = await maker.makeKey(record, 'ec-p256');
  const t = performance.now();
  for (let i = 0; i < 100; i++)
    await card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: Secret.fromText('123456') });
  console.log((performance.now() - t) / 100);
  const challenge = await card.challenge();
  await challenge.finish(vault.answerReset(record.slot, challenge, 5), Secret.fromText('654321'));
  await card.changePin(Secret.fromText('654321'), Secret.fromText('111'), vault.approveSelfChange(record.slot));
  await card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: Secret.fromText('111') });
  await card.destroy();
  await maker.close();
});
