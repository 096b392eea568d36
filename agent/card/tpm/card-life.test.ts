import { spawnSync } from 'node:child_process';
import { constants, createHash, createPublicKey, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@cardwright/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificationRequest, certificationRequestInfo } from '../../enrolment/csr.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import type { CardMaker, KeyType } from '../port.ts';
import { makeCard, prepareCard } from '../testing/make-card.ts';
import { VaultPart } from '../testing/vault-part.ts';
import { tpmCardMaker } from './index.ts';

const secret = (text: string) => Secret.fromText(text);
const DIGEST = new Uint8Array(createHash('sha256').update('text').digest());
const LONG_PIN = 'a PIN longer than what a TPM takes as it is: 127 at most';

let device: SoftwareTpm;
let maker: CardMaker;

async function onDevice(channel: 'tcp' | 'unix' = 'tcp'): Promise<void> {
  device = await startSoftwareTpm(channel);
  maker = tpmCardMaker(await openTpm(device.tcti));
}
async function gone(): Promise<void> {
  await maker.close();
  await device.stop();
}

describe.each<KeyType>(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072'])('a card with a key of %s', (keyType) => {
  let made: Awaited<ReturnType<typeof makeCard>>;
  let key: Uint8Array;
  beforeAll(() => onDevice());
  afterAll(gone);

  test('is made', async () => {
    made = await makeCard(maker, '123456', 5);
    expect(await maker.slotState(made.record.slot, made.vault.name)).toBe('written');
    expect(await made.card.tries()).toEqual({ left: 5, limit: 5 });
    key = await maker.makeKey(made.record, keyType);
  });

  const sign = (pin: string) => made.card.sign({ key, hash: 'sha256', digest: DIGEST, pin: secret(pin) });

  test('its certificate request passes openssl req -verify', async () => {
    const { info, hash, digest } = certificationRequestInfo(maker.keyPublic(key), 'Ada Lovelace', keyType);
    const signature = await made.card.sign({ key, hash, digest, pin: secret('123456') });
    const csr = certificationRequest(info, keyType, signature);
    await writeFile(join(device.directory, 'csr.der'), csr);
    // OpenSSL 3.0 ends with 0 also when the signature is wrong: its words count.
    const req = ['req', '-inform', 'DER', '-in', 'csr.der', '-noout', '-verify', '-subject'];
    const { stdout, stderr } = spawnSync('openssl', req, { cwd: device.directory, encoding: 'utf8' });
    expect(stdout).toContain('CN = Ada Lovelace');
    expect(stderr).toContain('self-signature verify OK');
  });

  test('openssl dgst -verify takes its signature', async () => {
    const publicKey = createPublicKey({ key: Buffer.from(maker.keyPublic(key)), format: 'der', type: 'spki' });
    await writeFile(join(device.directory, 'public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(join(device.directory, 'signature'), await sign('123456'));
    await writeFile(join(device.directory, 'text'), 'text');
    const dgst = ['dgst', '-sha256', '-verify', 'public.pem', '-signature', 'signature', 'text'];
    expect(await device.tool('openssl', ...dgst)).toContain('Verified OK');
  });

  test.each(['sha256', 'sha384', 'sha512'] as const)('signs %s digests, and with PSS where it is RSA', async (hash) => {
    const spki = createPublicKey({ key: Buffer.from(maker.keyPublic(key)), format: 'der', type: 'spki' });
    const digest = new Uint8Array(createHash(hash).update('text').digest());
    for (const padding of ['pkcs1', 'pss'] as const) {
      const signature = await made.card.sign({ key, hash, digest, padding, pin: secret('123456') });
      const options =
        keyType.startsWith('rsa') && padding === 'pss'
          ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
          : {};
      expect(verify(hash, Buffer.from('text'), { key: spki, ...options }, signature)).toBe(true);
    }
  });

  test('five wrong PINs block it, and then the right one is refused too', async () => {
    for (const triesLeft of [4, 3]) {
      await expect(sign('000000')).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft } });
    }
    await sign('123456');
    expect(await made.card.tries(), 'the right PIN gives all tries back').toEqual({ left: 5, limit: 5 });
    for (const triesLeft of [4, 3, 2, 1, 0]) {
      await expect(sign('000000')).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft } });
    }
    for (const pin of ['123456', '000000', '123456']) {
      const refusal = expect.objectContaining({ data: { rc: 0x12f, command: 'PolicyNV' } });
      await expect(sign(pin)).rejects.toMatchObject({ kind: 'conflict', code: 'card-blocked', cause: refusal });
    }
    const change = made.card.changePin(secret('123456'), secret('1'), made.vault.approveSelfChange(made.record.slot));
    await expect(change).rejects.toMatchObject({ code: 'card-blocked' });
    expect(await made.card.tries()).toEqual({ left: 0, limit: 5 });
  });

  test('a reset by challenge and response gives it a new PIN; the old one is refused', async () => {
    const challenge = await made.card.challenge();
    expect([challenge.resetNonce.length, challenge.writeNonce.length]).toEqual([16, 16]);
    await challenge.finish(made.vault.answerReset(made.record.slot, challenge, 5), secret('654321'));
    expect(await made.card.tries()).toEqual({ left: 5, limit: 5 });
    await expect(sign('123456')).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft: 4 } });
    await sign('654321');
  });

  test('its holder changes the PIN, knowing the old one', async () => {
    const approval = made.vault.approveSelfChange(made.record.slot);
    const wrong = made.card.changePin(secret('999999'), secret('111111'), approval);
    await expect(wrong).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft: 4 } });
    await made.card.changePin(secret('654321'), secret(LONG_PIN), approval);
    await expect(sign('654321')).rejects.toMatchObject({ code: 'pin-wrong' });
    await sign(LONG_PIN);
    await made.card.changePin(secret(LONG_PIN), secret('größer'), approval);
    await sign('größer');
  });

  test('it outlives the power', async () => {
    await maker.close();
    await device.restart();
    maker = tpmCardMaker(await openTpm(device.tcti));
    made = { ...made, card: maker.open(made.record) };
    await expect(sign('000000')).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft: 4 } });
    await maker.close();
    await device.restart();
    maker = tpmCardMaker(await openTpm(device.tcti));
    made = { ...made, card: maker.open(made.record) };
    expect(await made.card.tries(), 'tries are not given back by a restart').toEqual({ left: 4, limit: 5 });
    await sign('größer');
  });

  test('twenty signatures at once: each waits its turn', async () => {
    const signatures = await Promise.all(Array.from({ length: 20 }, () => sign('größer')));
    expect(signatures).toHaveLength(20);
  });

  test('destroyed, its key is dead for good, and destroying it again is fine', async () => {
    await made.card.destroy();
    await made.card.destroy();
    expect(await maker.slotState(made.record.slot, made.vault.name)).toBe('absent');
    await expect(sign('größer')).rejects.toMatchObject({ kind: 'conflict', code: 'card-missing' });
    await expect(made.card.tries()).rejects.toMatchObject({ code: 'card-missing' });
    await expect(made.card.challenge()).rejects.toMatchObject({ code: 'card-missing' });
  });
});

describe('the making, interrupted', () => {
  beforeAll(() => onDevice('unix'));
  afterAll(gone);

  test('before the first write: begun again, with another PIN', async () => {
    const { record, vault } = await prepareCard(maker, 'forgotten');
    expect(await maker.slotState(record.slot, vault.name)).toBe('defined');
    await maker.prepare(record.slot, vault.name, secret('known'));
    const challenge = await maker.firstWriteChallenge(record);
    await challenge.finish(vault.answerFirstWrite(record.slot, challenge.nonce, record.pinLimit));
    const key = await maker.makeKey(record, 'ec-p256');
    const request = { key, hash: 'sha256', digest: DIGEST } as const;
    await maker.open(record).sign({ ...request, pin: secret('known') });
    await maker.discard(record.slot, vault.name);
  });

  test('after the first write: known as finished, and no step undoes it', async () => {
    const { record, vault } = await makeCard(maker, '123456');
    const again = maker.prepare(record.slot, vault.name, secret('1'));
    await expect(again).rejects.toMatchObject({ kind: 'conflict', code: 'card-already-written' });
    await expect(maker.firstWriteChallenge(record)).rejects.toMatchObject({ code: 'card-already-written' });
    await maker.discard(record.slot, vault.name);
    await maker.discard(record.slot, vault.name);
    expect(await maker.slotState(record.slot, vault.name)).toBe('absent');
  });

  test('a first write that nothing was prepared for is refused', async () => {
    const { record, vault } = await prepareCard(maker, '123456');
    await maker.discard(record.slot, vault.name);
    await expect(maker.firstWriteChallenge(record)).rejects.toMatchObject({ code: 'card-not-prepared' });
  });

  test('an unfinished card is not used: not by its PIN, not by a reset', async () => {
    const { record, vault, card } = await prepareCard(maker, '123456');
    const key = await maker.makeKey(record, 'ec-p256');
    const signing = card.sign({ key, hash: 'sha256', digest: DIGEST, pin: secret('123456') });
    await expect(signing).rejects.toMatchObject({ code: 'card-altered' });
    await expect(card.challenge()).rejects.toMatchObject({ code: 'card-altered' });
    await expect(card.tries()).rejects.toMatchObject({ code: 'card-altered' });
    await maker.discard(record.slot, vault.name);
  });

  test('what is somebody else’s is left alone', async () => {
    const { record } = await makeCard(maker, '123456');
    const other = new VaultPart();
    expect(await maker.slotState(record.slot, other.name)).toBe('foreign');
    await expect(maker.prepare(record.slot, other.name, secret('1'))).rejects.toMatchObject({ code: 'slot-taken' });
    await expect(maker.discard(record.slot, other.name)).rejects.toMatchObject({ code: 'slot-taken' });
    expect(await maker.chooseSlot()).toBe(record.slot + 1);
  });

  test('the place is the first that is free', async () => {
    const first = await prepareCard(maker, '1');
    const second = await prepareCard(maker, '1');
    expect(second.record.slot).toBe(first.record.slot + 1);
    await maker.discard(first.record.slot, first.vault.name);
    expect(await maker.chooseSlot()).toBe(first.record.slot);
    await maker.discard(second.record.slot, second.vault.name);
  });

  test('a challenge given up leaves room for the next, as often as one likes', async () => {
    const { card } = await makeCard(maker, '123456');
    for (let i = 0; i < 5; i++) {
      const challenge = await card.challenge();
      await challenge.abandon();
      await challenge.abandon();
    }
    await card.challenge(); // left pending: closing the maker gives it up
    await maker.close();
    maker = tpmCardMaker(await openTpm(device.tcti));
  });

  test('sessions that the TPM forgot are begun anew', async () => {
    await maker.close();
    const tpm = await openTpm(device.tcti);
    maker = tpmCardMaker(tpm);
    const { card, record } = await makeCard(maker, '123456');
    const key = await maker.makeKey(record, 'ec-p256');
    const request = { key, hash: 'sha256', digest: DIGEST, pin: secret('123456') } as const;
    await card.sign(request);
    await tpm.flush(0x02000000);
    await expect(card.sign(request)).rejects.toMatchObject({ kind: 'unavailable', code: 'tpm-session-lost' });
    await card.sign(request);
  });
});

test('on a device whose owner has a password, making a card says what is wrong', async () => {
  const own = await startSoftwareTpm();
  try {
    await own.tool('tpm2_changeauth', '-Q', '-c', 'owner', 'password');
    const refused = tpmCardMaker(await openTpm(own.tcti));
    await expect(refused.parent()).rejects.toMatchObject({ kind: 'conflict', code: 'tpm-owner-password-set' });
    await refused.close();
  } finally {
    await own.stop();
  }
});
