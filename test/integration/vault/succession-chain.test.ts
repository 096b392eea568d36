import { randomUUID } from 'node:crypto';
import { type CardMaker, type CardRecord, openTpm, type Succession, tpmCardMaker } from '@cardwright/agent';
import { Secret } from '@cardwright/protocol';
import type { ProposedSuccessor, TpmStrategy, VaultClient } from '@cardwright/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { type Device, newDevice } from '../../support/device.ts';
import { caller, codeOf, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

/** The vault and a TPM, with the agent's card between them and no cms: both judge what the other made. */
let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
let client: VaultClient;
let device: Device;
let maker: CardMaker;

beforeAll(async () => {
  [database, device] = await Promise.all([testDatabase(), newDevice()]);
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault);
  client = vault.client;
  const tpm = await openTpm(device.tpm.tcti);
  maker = tpmCardMaker(tpm);
}, 60_000);
afterAll(async () => {
  await maker?.close();
  await device?.remove();
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

const pin = (digits: string) => Secret.fromText(digits);

interface Made {
  readonly cardId: string;
  readonly record: CardRecord;
  readonly key: Uint8Array;
}

async function makeCard(strategy: TpmStrategy): Promise<Made> {
  const [cardId, parent] = [randomUUID(), await maker.parent()];
  const wrapped = await client.makeKeyForTpm({
    ...{ ...caller, cardId, strategy, parentPublic: parent.public, pinLimit: 5 },
  });
  const administratorKey = await maker.importAdministratorKey(wrapped);
  const slot = await maker.chooseSlot();
  await maker.prepare(slot, wrapped.name, pin('271828'));
  const record: CardRecord = {
    ...{ slot, parentName: parent.name, administratorKeyName: wrapped.name, administratorKey },
    ...{ successions: [], pinLimit: 5 },
  };
  const challenge = await maker.firstWriteChallenge(record);
  const { nonce } = challenge;
  const first = await client.signFirstWrite({ ...caller, cardId, keyVersion: 1, nvIndex: slot, nonce });
  await challenge.finish(first.answer);
  await client.confirmKey({ ...caller, cardId, keyVersion: 1 });
  return { cardId, record, key: await maker.makeKey(record, 'ec-p256') };
}

async function propose({ cardId }: Made, strategy: TpmStrategy): Promise<ProposedSuccessor> {
  const parentPublic = (await maker.parent()).public;
  return client.proposeSuccessor({ ...caller, cardId, strategy, parentPublic });
}

/** The device's part: imports, rehearses, and only then has the successor. */
async function adopt(made: Made, offer: ProposedSuccessor): Promise<Made> {
  const key = await maker.importAdministratorKey(offer);
  const succession: Succession = { name: offer.name, key, approval: offer.approval };
  await maker.rehearse(made.record, succession, offer.rehearsal);
  return { ...made, record: { ...made.record, successions: [...made.record.successions, succession] } };
}

/** Resets the PIN by the answers of that version, and uses the card's key with it. */
async function reset({ cardId, record, key }: Made, keyVersion: number, digits: string): Promise<void> {
  const challenge = await maker.open(record).challenge();
  try {
    const { resetNonce, writeNonce } = challenge;
    const asked = { ...caller, cardId, keyVersion, nvIndex: record.slot, resetNonce, writeNonce };
    await challenge.finish(await client.resetTpmCard(asked), pin(digits));
  } finally {
    await challenge.abandon();
  }
  await maker.open(record).sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: pin(digits) });
}

describe.each(['random-stored', 'deterministic'] as const)('a TPM card with %s keys', (strategy) => {
  it('has its PIN reset by the first, the second and the third, each approved by the one before', async () => {
    const first = await makeCard(strategy);
    await reset(first, 1, '314159');
    const second = await adopt(first, await propose(first, strategy));
    // Adopted and not confirmed: the answers are still those of the first, and the card takes them.
    await reset(second, 1, '141421');
    await client.confirmChange({ ...caller, cardId: first.cardId, keyVersion: 2 });
    await reset(second, 2, '161803');
    const third = await adopt(second, await propose(second, strategy));
    await client.confirmChange({ ...caller, cardId: first.cardId, keyVersion: 3 });
    await reset(third, 3, '577215');
    expect(await codeOf(reset(third, 2, '000000'))).toBe('conflict administrator-key-superseded');
    expect(await maker.open(third.record).tries()).toEqual({ left: 5, limit: 5 });
  });

  it('takes a key of another strategy', async () => {
    const other = strategy === 'deterministic' ? 'random-stored' : 'deterministic';
    const first = await makeCard(strategy);
    const second = await adopt(first, await propose(first, other));
    await client.confirmChange({ ...caller, cardId: first.cardId, keyVersion: 2 });
    await reset(second, 2, '314159');
  });
});

it('is blocked and has the key that was proposed: an answer by the confirmed one still helps', async () => {
  const first = await makeCard('random-stored');
  const second = await adopt(first, await propose(first, 'random-stored'));
  const wrong = { key: first.key, hash: 'sha256', digest: new Uint8Array(32), pin: pin('000000') } as const;
  for (let tries = 0; tries < 5; tries++)
    await maker
      .open(second.record)
      .sign(wrong)
      .catch(() => undefined);
  expect(await maker.open(second.record).tries()).toEqual({ left: 0, limit: 5 });
  await reset(second, 1, '314159');
});

it('a successor that is proposed twice is another key each time, and the first offer can still be taken', async () => {
  const first = await makeCard('random-stored');
  const [offer, other] = [await propose(first, 'random-stored'), await propose(first, 'random-stored')];
  expect(Buffer.from(offer.name).equals(Buffer.from(other.name))).toBe(false);
  const second = await adopt(first, offer);
  await client.confirmChange({ ...caller, cardId: first.cardId, keyVersion: offer.keyVersion });
  await reset(second, offer.keyVersion, '314159');
});

it('a card does not take a successor that was approved for another card', async () => {
  const [one, two] = [await makeCard('random-stored'), await makeCard('random-stored')];
  const offer = await propose(two, 'random-stored');
  expect(await codeOf(adopt(one, offer))).toBe('unprocessable successor-refused-by-card');
  const mixed = { ...(await propose(one, 'random-stored')), approval: offer.approval };
  expect(await codeOf(adopt(one, mixed))).toBe('unprocessable successor-refused-by-card');
  const unrehearsed = { ...(await propose(one, 'random-stored')), rehearsal: offer.rehearsal };
  expect(await codeOf(adopt(one, unrehearsed))).toBe('unprocessable successor-refused-by-card');
  await reset(one, 1, '314159');
});

it('THE HONEST LIMIT: inside the TPM the key before keeps its power, for whoever has answers of it or a copy', async () => {
  const first = await makeCard('random-stored');
  const second = await adopt(first, await propose(first, 'random-stored'));
  const challenge = await maker.open(second.record).challenge();
  const { resetNonce, writeNonce } = challenge;
  const of = { ...caller, cardId: first.cardId, keyVersion: 1, nvIndex: first.record.slot, resetNonce, writeNonce };
  const kept = await client.resetTpmCard(of);
  await client.confirmChange({ ...caller, cardId: first.cardId, keyVersion: 2 });
  // The vault has destroyed it, and answers by it no more. The TPM takes its answers all the same.
  expect(await codeOf(client.resetTpmCard(of))).toBe('conflict administrator-key-superseded');
  await challenge.finish(kept, pin('666666'));
  const request = { key: first.key, hash: 'sha256', digest: new Uint8Array(32), pin: pin('666666') } as const;
  await maker.open(second.record).sign(request);
});
