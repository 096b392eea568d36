import { Secret } from '@cardwright/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTpm } from '../../tpm/index.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import type { CardMaker } from '../port.ts';
import { makeCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';

const INDEX = '0x1500001';

let software: SoftwareTpm;
beforeEach(async () => {
  software = await startSoftwareTpm();
  await software.tool('tpm2_dictionarylockout', '-s', '-n', '3', '-t', '600', '-l', '86400');
  await software.tool('tpm2_nvdefine', '-C', 'o', '-s', '8', '-p', 'right', '-a', 'authread|authwrite', INDEX);
});
afterEach(() => software.stop());

async function withMaker<T>(work: (maker: CardMaker) => Promise<T>): Promise<T> {
  const maker = tpmCardMaker(await openTpm(software.tcti));
  try {
    return await work(maker);
  } finally {
    await maker.close();
  }
}

/** Something else on the machine is tried with wrong passwords, until the TPM has enough. */
async function lockTpm(): Promise<void> {
  for (let wrong = 0; wrong < 4; wrong++) {
    await expect(software.tool('tpm2_nvread', '-C', INDEX, '-P', 'wrong', INDEX)).rejects.toThrow();
  }
}

const PIN = '271828';

async function madeBefore() {
  return withMaker(async (maker) => {
    const { record, vault } = await makeCard(maker, PIN);
    return { record, vault, key: await maker.makeKey(record, 'ec-p256') };
  });
}

const signWith = (maker: CardMaker, { record, key }: Awaited<ReturnType<typeof madeBefore>>, pin = PIN) =>
  maker.open(record).sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: Secret.fromText(pin) });

describe('a TPM that is locked by wrong passwords for other things', () => {
  it('lets cards work on: they sign, count their own tries, and are unblocked', async () => {
    const made = await madeBefore();
    await lockTpm();
    await withMaker(async (maker) => {
      expect(await maker.lock()).toEqual({ locked: true, releasedWithinSeconds: 600 });
      expect(await signWith(maker, made)).toBeInstanceOf(Uint8Array);
      await expect(signWith(maker, made, '000000')).rejects.toMatchObject({
        code: 'pin-wrong',
        data: { triesLeft: 4 },
      });
      const challenge = await maker.open(made.record).challenge();
      await challenge.finish(
        made.vault.answerReset(made.record.slot, challenge, made.record.pinLimit),
        Secret.fromText('314159'),
      );
      expect(await signWith(maker, made, '314159')).toBeInstanceOf(Uint8Array);
    });
  });

  it('locks cards under a storage key without noDA, says for how long, and harms none', async () => {
    await software.tool('tpm2_createprimary', '-C', 'o', '-G', 'ecc', '-c', 'srk.ctx');
    await software.tool('tpm2_evictcontrol', '-C', 'o', '-c', 'srk.ctx', '0x81000001');
    await software.tool('tpm2_flushcontext', '-t');
    const made = await madeBefore();
    await lockTpm();
    await withMaker(async (maker) => {
      await expect(signWith(maker, made)).rejects.toMatchObject({
        kind: 'unavailable',
        code: 'tpm-locked-out',
        detail: expect.stringContaining('for at most 10 minutes'),
        data: { releasedWithinSeconds: 600 },
      });
      const challenge = await maker.open(made.record).challenge();
      const answers = made.vault.answerReset(made.record.slot, challenge, made.record.pinLimit);
      await expect(challenge.finish(answers, Secret.fromText('314159'))).rejects.toMatchObject({
        code: 'tpm-locked-out',
      });
      await challenge.abandon();
      expect(await maker.open(made.record).tries()).toEqual({ left: 5, limit: 5 });
    });
    await software.tool('tpm2_dictionarylockout', '--clear-lockout');
    await withMaker(async (maker) => {
      expect(await maker.lock()).toEqual({ locked: false, releasedWithinSeconds: 0 });
      expect(await signWith(maker, made)).toBeInstanceOf(Uint8Array);
    });
  });
});
