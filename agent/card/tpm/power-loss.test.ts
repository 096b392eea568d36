import { isDomainError, Secret } from '@cardwright/protocol';
import { type Bytes, TPM_CC } from '@cardwright/protocol/tpm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openWatched, type Watched } from '../../tpm/testing/cut-off.socket.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import type { CardMaker } from '../port.ts';
import { type MadeCard, makeCard, prepareCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';

const secret = (text: string) => Secret.fromText(text);
const OLD = '141421';
const NEW = '173205';

let device: SoftwareTpm;
let watched: Watched;
let maker: CardMaker;
beforeAll(async () => {
  device = await startSoftwareTpm();
});
afterAll(() => device.stop());
beforeEach(() => connect());

async function connect(): Promise<void> {
  watched = await openWatched(device.tcti);
  maker = tpmCardMaker(watched.tpm);
}

/** The connection that was cut goes; a new one finds what is left. */
async function reconnect(made: MadeCard): Promise<MadeCard> {
  await watched.tpm.close();
  await connect();
  return { ...made, card: maker.open(made.record) };
}

/** Which of the two PINs opens the card. */
async function opens(made: MadeCard, key: Bytes): Promise<string> {
  const pins: string[] = [];
  for (const pin of [OLD, NEW]) {
    const signing = made.card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: secret(pin) });
    const code = await signing.then(() => 'opens').catch((error: { code: string }) => error.code);
    if (code === 'opens') pins.push(pin);
    else if (code !== 'pin-wrong') pins.push(code);
  }
  return pins.join(' and ');
}

/**
 * Does `work` again and again, cut off one command later each time, until it is done. `after` looks at what is left.
 * Gives what it saw, without repeats.
 */
async function cutEverywhere(
  when: 'before' | 'after',
  prepare: () => Promise<{ made: MadeCard; work: () => Promise<void> }>,
  after: (made: MadeCard) => Promise<string>,
): Promise<string[]> {
  const seen = new Set<string>();
  for (let commands = 0; ; commands++) {
    expect(commands).toBeLessThan(60);
    const { made, work } = await prepare();
    watched.cutAfter(commands, when);
    const done = await work().then(
      () => true,
      (error: unknown) => {
        if (!isDomainError(error) || error.code !== 'tpm-unreachable') throw error;
        return false;
      },
    );
    const left = await reconnect(made);
    seen.add(await after(left));
    await maker.discard(made.record.slot, made.vault.name);
    await maker.close();
    await connect();
    if (done) {
      expect(commands).toBeGreaterThan(3);
      await maker.close();
      return [...seen];
    }
  }
}

describe.each(['before', 'after'] as const)('cut off %s any command', (when) => {
  test('a change of the PIN: the old one holds, or the new one', async () => {
    let key: Bytes;
    const seen = await cutEverywhere(
      when,
      async () => {
        const made = await makeCard(maker, OLD);
        key = await maker.makeKey(made.record, 'ec-p256');
        const approval = made.vault.approveSelfChange(made.record.slot);
        return { made, work: () => made.card.changePin(secret(OLD), secret(NEW), approval) };
      },
      (made) => opens(made, key),
    );
    expect(seen).toEqual([OLD, NEW]);
  });

  test('a reset of a blocked card: blocked still, or open with the new PIN; a second reset always helps', async () => {
    let key: Bytes;
    const seen = await cutEverywhere(
      when,
      async () => {
        const made = await makeCard(maker, OLD, 1);
        key = await maker.makeKey(made.record, 'ec-p256');
        const request = { key, hash: 'sha256', digest: new Uint8Array(32), pin: secret('0') } as const;
        await expect(made.card.sign(request)).rejects.toMatchObject({ code: 'pin-wrong' });
        const challenge = await made.card.challenge();
        const answers = made.vault.answerReset(made.record.slot, challenge, 1);
        return { made, work: () => challenge.finish(answers, secret(NEW)) };
      },
      async (made) => {
        const { left } = await made.card.tries();
        const challenge = await made.card.challenge();
        await challenge.finish(made.vault.answerReset(made.record.slot, challenge, 1), secret(NEW));
        const request = { key, hash: 'sha256', digest: new Uint8Array(32), pin: secret(NEW) } as const;
        await made.card.sign(request);
        return left === 0 ? 'blocked' : 'open';
      },
    );
    expect(seen).toEqual(['blocked', 'open']);
  });

  test('the making: absent, defined or written, and each is known for what it is', async () => {
    const seen = await cutEverywhere(
      when,
      async () => {
        const made = await prepareCard(maker, OLD);
        await maker.discard(made.record.slot, made.vault.name);
        const work = async (): Promise<void> => {
          await maker.prepare(made.record.slot, made.vault.name, secret(OLD));
          const challenge = await maker.firstWriteChallenge(made.record);
          await challenge.finish(made.vault.answerFirstWrite(made.record.slot, challenge.nonce, 5));
        };
        return { made, work };
      },
      async (made) => {
        const state = await maker.slotState(made.record.slot, made.vault.name);
        if (state === 'written') expect(await made.card.tries()).toEqual({ left: 5, limit: 5 });
        else await maker.prepare(made.record.slot, made.vault.name, secret(NEW));
        return state;
      },
    );
    expect(seen).toEqual(['absent', 'defined', 'written']);
  });

  test('the destruction: the card is there or gone, and doing it again completes it', async () => {
    const seen = await cutEverywhere(
      when,
      async () => {
        const made = await makeCard(maker, OLD);
        return {
          made,
          work: async () => {
            await made.card.tries();
            await made.card.destroy();
          },
        };
      },
      async (made) => {
        const state = await maker.slotState(made.record.slot, made.vault.name);
        await made.card.destroy();
        expect(await maker.slotState(made.record.slot, made.vault.name)).toBe('absent');
        return state;
      },
    );
    expect(seen).toEqual(['written', 'absent']);
  });
});

test('no PIN is on its way in clear, in any command of a card’s life', async () => {
  const made = await makeCard(maker, OLD);
  const key = await maker.makeKey(made.record, 'ec-p256');
  const request = { key, hash: 'sha256', digest: new Uint8Array(32) } as const;
  await made.card.sign({ ...request, pin: secret(OLD) });
  await expect(made.card.sign({ ...request, pin: secret('223606') })).rejects.toMatchObject({ code: 'pin-wrong' });
  await made.card.changePin(secret(OLD), secret(NEW), made.vault.approveSelfChange(made.record.slot));
  const challenge = await made.card.challenge();
  await challenge.finish(made.vault.answerReset(made.record.slot, challenge, 5), secret('244948'));
  await made.card.destroy();
  await maker.close();
  const codes = new Set(watched.sent.map((command) => command.readUInt32BE(6)));
  for (const code of [0x12a, 0x13b, TPM_CC.PolicyNV]) expect(codes).toContain(code);
  for (const pin of [OLD, NEW, '223606', '244948']) {
    expect(watched.sent.some((command) => command.includes(pin))).toBe(false);
  }
});
