import { Secret } from '@cardwright/protocol';
import { type Bytes, parseStoragePublic, TPM_CC, Writer } from '@cardwright/protocol/tpm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, type Meddled, openMeddled, turned } from '../../tpm/testing/meddling.socket.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import type { CardMaker } from '../port.ts';
import { type MadeCard, makeCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';

// Somebody on the wire between the processor and the TPM, or a program that took the device's place.
const secret = (text: string) => Secret.fromText(text);
const OLD = '141421';
const NEW = '173205';
let device: SoftwareTpm;
let meddled: Meddled;
let maker: CardMaker;
let made: MadeCard;
let key: Bytes;

beforeAll(async () => {
  device = await startSoftwareTpm();
});
beforeEach(async () => {
  await open();
  made = await makeCard(maker, OLD);
  key = await maker.makeKey(made.record, 'ec-p256');
});
afterEach(async () => {
  await maker.discard(made.record.slot, made.vault.name);
  await maker.close();
});
afterAll(() => device.stop());

async function open(): Promise<void> {
  meddled = await openMeddled(device.tcti);
  maker = tpmCardMaker(meddled.tpm);
}

/** The meddler leaves; whatever was lost with him, the card is opened anew. */
async function anew(): Promise<void> {
  await maker.close();
  await open();
  made = { ...made, card: maker.open(made.record) };
}

const sign = (pin: string) =>
  made.card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: secret(pin) }).then(
    () => 'signs',
    (error: { code: string }) => error.code,
  );
const change = () => made.card.changePin(secret(OLD), secret(NEW), made.vault.approveSelfChange(made.record.slot));
async function reset(): Promise<void> {
  const challenge = await made.card.challenge();
  await challenge.finish(made.vault.answerReset(made.record.slot, challenge, 5), secret(NEW));
}
const on =
  (code: number, alter: (bytes: Bytes) => Bytes) =>
  (bytes: Bytes, command: Bytes = bytes) =>
    codeOf(command) === code ? alter(bytes) : bytes;

describe('trap 5: "cpHash binding and parameter encryption of the new PIN exclude each other"', () => {
  test.each([
    ['change', change],
    ['reset', reset],
  ])('a new PIN that is altered on its way is not set by a %s: nobody would know it', async (_, act) => {
    // NV_ChangeAuth: the enciphered authValue are the last bytes of the command.
    meddled.meddle({ command: on(TPM_CC.NV_ChangeAuth, (command) => turned(command, -1)) });
    await expect(act()).rejects.toMatchObject({ name: 'DomainError', data: { command: 'NV_ChangeAuth' } });
    await anew();
    expect([await sign(OLD), await sign(NEW)]).toEqual(['signs', 'pin-wrong']);
  });

  test('a first PIN that is altered on its way is not set', async () => {
    await maker.discard(made.record.slot, made.vault.name);
    // NV_DefineSpace: header 10, owner 4, area size 4, session 4 + 2 + 16 + 1 + 2 + 32, then TPM2B_AUTH.
    meddled.meddle({ command: on(TPM_CC.NV_DefineSpace, (command) => turned(command, 18 + 57 + 2)) });
    const preparing = maker.prepare(made.record.slot, made.vault.name, secret(OLD));
    await expect(preparing).rejects.toMatchObject({ name: 'DomainError' });
    await anew();
    expect(await maker.slotState(made.record.slot, made.vault.name)).toBe('absent');
  });

  test('the answer is not bound to the PIN, so what goes to the server is the same whatever PIN is chosen', async () => {
    const challenge = await made.card.challenge();
    const answers = made.vault.answerReset(made.record.slot, challenge, 5);
    await challenge.finish(answers, secret(NEW));
    expect(await sign(NEW)).toBe('signs');
  });
});

describe('a response that the TPM did not make', () => {
  test.each([
    ['the proof of the PIN', TPM_CC.PolicyNV, () => made.card.sign(request())],
    ['the change of the PIN', TPM_CC.NV_ChangeAuth, change],
  ])('is refused at %s', async (_, code, act) => {
    meddled.meddle({ response: (response, command) => on(code, (bytes) => turned(bytes, -1))(response, command) });
    await expect(act()).rejects.toMatchObject({ kind: 'unprocessable', code: 'tpm-response-forged' });
    await anew();
    expect((await sign(OLD)) === 'signs' || (await sign(NEW)) === 'signs').toBe(true);
  });
  const request = () => ({ key, hash: 'sha256', digest: new Uint8Array(32), pin: secret(OLD) }) as const;

  test('a storage key put in the place of the real one is not trusted with the PIN: the card knows its own', async () => {
    const other = await startSoftwareTpm();
    try {
      const elsewhere = tpmCardMaker(await openTpm(other.tcti));
      const foreign = (await elsewhere.parent()).public;
      await elsewhere.close();
      expect(parseStoragePublic(foreign).kind).toBe('ecc');
      await anew();
      meddled.meddle({
        // CreatePrimary's response: header 10, handle 4, parameterSize 4, then TPM2B_PUBLIC.
        response: (response, command) =>
          on(TPM_CC.CreatePrimary, (bytes) => {
            const size = new DataView(bytes.buffer, bytes.byteOffset).getUint16(18);
            return new Writer()
              .bytes(bytes.slice(0, 18))
              .bytes(foreign)
              .bytes(bytes.slice(20 + size))
              .done();
          })(response, command),
      });
      await expect(made.card.sign(request())).rejects.toMatchObject({ code: 'card-of-another-device' });
      await anew();
      expect(await sign(OLD)).toBe('signs');
    } finally {
      await other.stop();
    }
  });
});
