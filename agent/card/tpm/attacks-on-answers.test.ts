import { Secret } from '@cardwright/protocol';
import {
  answerSignature,
  type Bytes,
  CARD_REFS,
  PIN_PROVED,
  pinCounter,
  selfChangeApproval,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import { describe, expect, test } from 'vitest';
import { isRefusal, RC, verifySignature } from '../../tpm/index.ts';
import { type MadeCard, prepareCard } from '../testing/make-card.ts';
import { outcome } from '../testing/root.ts';
import { random32, Scene } from '../testing/scene.ts';
import { Hardware } from './hardware.ts';
import { CardPlace } from './place.ts';
import { answerRefusal } from './refusals.ts';

// Each test does what root on the device could, against the TPM itself, and sees it refused by the TPM.
const secret = (text: string) => Secret.fromText(text);
const NONE = new Uint8Array();
const scene = Scene.forEachTest();

describe('an answer', () => {
  type Answers = { resetAnswer: Bytes; writeAnswer: Bytes };
  type Forgery = (challenge: { resetNonce: Bytes; writeNonce: Bytes }) => Answers | Promise<Answers>;
  const right: Forgery = (challenge) => scene.made.vault.answerReset(scene.made.record.slot, challenge, 5);

  test.each<[string, Forgery]>([
    ['that is guessed', () => ({ resetAnswer: random32(), writeAnswer: random32() })],
    ['whose first half is forged', async (c) => ({ ...(await right(c)), resetAnswer: random32() })],
    ['whose second half is forged', async (c) => ({ ...(await right(c)), writeAnswer: random32() })],
    [
      'with its halves exchanged',
      async (c) => {
        const { resetAnswer, writeAnswer } = await right(c);
        return { resetAnswer: writeAnswer, writeAnswer: resetAnswer };
      },
    ],
    [
      'of an earlier challenge',
      async () => {
        const earlier = await scene.made.card.challenge();
        const answers = await right(earlier);
        await earlier.abandon();
        return answers;
      },
    ],
    ['by another card’s key', async (c) => (await otherCard()).vault.answerReset(scene.made.record.slot, c, 5)],
    ['of this key for another index', (c) => scene.made.vault.answerReset(scene.made.record.slot + 1, c, 5)],
  ])('%s is refused, nothing changes, and the right one still works', async (_, forge) => {
    // Made first: a bare TPM has no room for two challenges at once.
    const early = await forge({ resetNonce: new Uint8Array(16), writeNonce: new Uint8Array(16) });
    const challenge = await scene.made.card.challenge();
    const forged = _ === 'of an earlier challenge' ? early : await forge(challenge);
    const finishing = challenge.finish(forged, secret('314159'));
    await expect(finishing).rejects.toMatchObject({ kind: 'unprocessable', code: 'response-refused-by-card' });
    await challenge.finish(await right(challenge), secret('314159'));
    await expect(scene.sign(scene.pin)).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft: 4 } });
    await scene.sign('314159');
  });

  test('refused leaves PIN and tries as they were', async () => {
    await expect(scene.sign('000000')).rejects.toMatchObject({ code: 'pin-wrong' });
    const challenge = await scene.made.card.challenge();
    const answers = { ...(await right(challenge)), writeAnswer: random32() };
    await expect(challenge.finish(answers, secret('314159'))).rejects.toMatchObject({
      code: 'response-refused-by-card',
    });
    await challenge.abandon();
    await scene.expectUnharmed(4);
  });

  test('works once: the same answers to the same challenge do nothing a second time', async () => {
    const challenge = await scene.made.card.challenge();
    const answers = await right(challenge);
    await challenge.finish(answers, secret('314159'));
    await expect(challenge.finish(answers, secret('666'))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'challenge-over',
    });
    await expect(scene.sign('666')).rejects.toMatchObject({ code: 'pin-wrong' });
    await scene.sign('314159');
  });

  test.each([0, 31, 33])('of %i bytes is refused before the card is asked', async (length) => {
    const challenge = await scene.made.card.challenge();
    const answers = { resetAnswer: new Uint8Array(length), writeAnswer: random32() };
    await expect(challenge.finish(answers, secret('314159'))).rejects.toMatchObject({ code: 'answer-length' });
    await challenge.abandon();
  });

  test('that comes too late is refused by the TPM’s own clock', async () => {
    const place = new CardPlace(new Hardware(scene.tpm), scene.made.record.slot, scene.made.vault.name);
    await scene.root.policy(async (session) => {
      const mac = answerSignature(scene.made.vault.answer(session.nonceTpm, NONE, CARD_REFS.reset, 1));
      const terms = { cpHash: NONE, policyRef: CARD_REFS.reset, expirationSeconds: 1 };
      await scene.withAdministratorKey(async (authority) => {
        await session.signed(authority, terms, mac);
        const deadline = Date.now() + 10_000;
        for (;;) {
          try {
            await session.signed(authority, terms, mac);
          } catch (error) {
            expect(isRefusal(error, RC.EXPIRED)).toBe(true);
            const refusal = await answerRefusal(error, place, 'written');
            expect(refusal).toMatchObject({ kind: 'conflict', code: 'response-expired' });
            return;
          }
          if (Date.now() > deadline) throw new Error('the answer never expired');
        }
      });
    });
    await scene.expectUnharmed();
  });

  async function otherCard(): Promise<MadeCard> {
    const other = await prepareCard(scene.maker, 'x');
    await scene.maker.discard(other.record.slot, other.vault.name);
    return other;
  }
});

describe('the change of the PIN by its holder', () => {
  test('is not had without the old PIN', async () => {
    const { approvedPolicy, digest } = selfChangeApproval(scene.index.writtenName);
    const { signature } = scene.made.vault.approveSelfChange(scene.made.record.slot);
    const ticket = await scene.withAdministratorKey((authority) =>
      verifySignature(scene.tpm, authority, digest, answerSignature(signature)),
    );
    await scene.root.policy(async (session) => {
      await session.commandCode(TPM_CC.NV_ChangeAuth);
      const authorizing = session.authorize(approvedPolicy, CARD_REFS.self, scene.made.vault.name, ticket);
      expect(await outcome(authorizing)).toBe('1c4');
    });
    await scene.expectUnharmed();
  });

  test('gives nothing else: the same session does not write the counter', async () => {
    const { approvedPolicy, digest } = selfChangeApproval(scene.index.writtenName);
    const { signature } = scene.made.vault.approveSelfChange(scene.made.record.slot);
    const ticket = await scene.withAdministratorKey((authority) =>
      verifySignature(scene.tpm, authority, digest, answerSignature(signature)),
    );
    await scene.root.policy(async (session) => {
      await session.nv(scene.writtenIndex, PIN_PROVED, scene.root.password(scene.pin));
      await session.commandCode(TPM_CC.NV_ChangeAuth);
      await session.authorize(approvedPolicy, CARD_REFS.self, scene.made.vault.name, ticket);
      await scene.root.openBranch(session, scene.made.vault.name);
      expect(await outcome(scene.root.write(scene.writtenIndex, pinCounter(0, 100), session.spending()))).toBe('9a4');
    });
    await scene.expectUnharmed();
  });

  test.each([
    ['of another card', () => scene.made.vault.approveSelfChange(scene.made.record.slot + 1)],
    [
      'that is forged',
      () => ({ ...scene.made.vault.approveSelfChange(scene.made.record.slot), signature: random32() }),
    ],
  ])('with an approval %s is refused, and costs no try', async (_, approval) => {
    const changing = scene.made.card.changePin(secret(scene.pin), secret('1'), approval());
    await expect(changing).rejects.toMatchObject({ kind: 'unprocessable', code: 'self-change-refused-by-card' });
    await scene.expectUnharmed();
  });
});
