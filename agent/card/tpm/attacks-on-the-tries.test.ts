import { Secret } from '@cardwright/protocol';
import {
  ANSWER_EXPIRATION_SECONDS,
  answerSignature,
  CARD_REFS,
  nvWriteCpHash,
  pinCounter,
  sized,
  TPM_CC,
  TPM_RH,
  u32,
  Writer,
} from '@cardwright/protocol/tpm';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Authorizer, EMPTY_AUTH, type Entity } from '../../tpm/index.ts';
import { outcome } from '../testing/root.ts';
import { Scene } from '../testing/scene.ts';

// Each test does what root on the device could, against the TPM itself, and sees it refused by the TPM.
const secret = (text: string) => Secret.fromText(text);
const NONE = new Uint8Array();
const scene = Scene.forEachTest();

describe('trap 1, the limit of tries: "PolicyAuthValue or PolicyPassword on a PIN_FAIL index bypasses pinLimit"', () => {
  test.each([
    ['PolicyAuthValue', TPM_CC.PolicyAuthValue],
    ['PolicyPassword', TPM_CC.PolicyPassword],
  ])('%s opens no branch of the index, so a guess by it is never even compared', async (_, code) => {
    const attempts: string[] = [];
    for (let i = 0; i < 7; i++) {
      await scene.root.policy(async (session) => {
        await scene.root.on(session, code);
        await session.commandCode(TPM_CC.NV_Read);
        attempts.push(await outcome(scene.root.openBranch(session, scene.made.vault.name)));
      });
      await scene.root.policy(async (session) => {
        await session.commandCode(TPM_CC.NV_Read);
        await scene.root.openBranch(session, scene.made.vault.name);
        await scene.root.on(session, code);
        const guess = {
          begin: () => ({ ...session.spending().begin(), hmac: () => new TextEncoder().encode(scene.pin) }),
        };
        attempts.push(await outcome(scene.root.read(scene.writtenIndex, guess)));
      });
    }
    expect(new Set(attempts)).toEqual(new Set(['1c4', '99d']));
    await scene.expectUnharmed();
  });

  test('such a session does not prove the PIN to PolicySecret either', async () => {
    await scene.root.policy((session) =>
      scene.root.policy(async (guessing) => {
        await scene.root.on(guessing, TPM_CC.PolicyAuthValue);
        expect(await outcome(session.secret(scene.writtenIndex, guessing.spending()))).toBe('99d');
      }),
    );
    await scene.expectUnharmed();
  });

  test.each([
    ['NV_Read', (guess: string) => scene.root.read(scene.writtenIndex, scene.root.password(guess))],
    [
      'PolicySecret',
      (guess: string) => scene.root.policy((session) => session.secret(scene.writtenIndex, scene.root.password(guess))),
    ],
  ])('a guess shown to %s counts as any other', async (_, attempt) => {
    for (let i = 0; i < 5; i++) expect(await outcome(attempt('000000'))).toBe('9a2');
    expect(await outcome(attempt(scene.pin))).toBe('12f');
    await expect(scene.sign(scene.pin)).rejects.toMatchObject({ code: 'card-blocked' });
  });

  test('the owner can not write the counter, nor can the one who knows the PIN', async () => {
    expect(await outcome(scene.root.writeAsOwner(scene.writtenIndex, pinCounter(0, 100)))).toBe('149');
    expect(
      await outcome(scene.root.write(scene.writtenIndex, pinCounter(0, 100), scene.root.password(scene.pin))),
    ).toBe('12f');
    await scene.expectUnharmed();
  });

  test('trap 4: "Bind every NV_Write answer to its cpHash, or the client can write a huge pinLimit"', async () => {
    const huge = Uint8Array.from([...u32(0), ...u32(0xffffffff)]);
    const fair = nvWriteCpHash({ name: scene.index.writtenName, data: pinCounter(0, 5) });
    await scene.root.policy(async (session) => {
      const mac = answerSignature(
        scene.made.vault.answerWrite(scene.index.writtenName, session.nonceTpm, pinCounter(0, 5)),
      );
      const terms = { policyRef: CARD_REFS.write, expirationSeconds: ANSWER_EXPIRATION_SECONDS };
      const other = nvWriteCpHash({ name: scene.index.writtenName, data: huge });
      await scene.withAdministratorKey(async (authority) => {
        expect(await outcome(session.signed(authority, { ...terms, cpHash: other }, mac))).toBe('5db');
        expect(await outcome(session.signed(authority, { ...terms, cpHash: NONE }, mac))).toBe('5db');
        await session.signed(authority, { ...terms, cpHash: fair }, mac);
      });
      await session.commandCode(TPM_CC.NV_Write);
      await scene.root.openBranch(session, scene.made.vault.name);
      expect(await outcome(scene.root.write(scene.writtenIndex, huge, session.spending()))).toBe('99d');
    });
    await scene.expectUnharmed();
  });

  test('trap 4: a card record with a higher limit is refused by the card at reset', async () => {
    const greedy = scene.maker.open({ ...scene.made.record, pinLimit: 100 });
    const challenge = await greedy.challenge();
    const finishing = challenge.finish(
      scene.made.vault.answerReset(scene.made.record.slot, challenge, 5),
      secret('314159'),
    );
    await expect(finishing).rejects.toMatchObject({ code: 'response-refused-by-card' });
    await challenge.abandon();
    await scene.expectUnharmed();
  });
});

describe('trap 2: "An NV Name does not cover the authValue": the index defined again, with a PIN of the owner’s own', () => {
  beforeEach(async () => {
    await scene.root.undefine(scene.writtenIndex);
    await scene.root.define(scene.index.nvPublic, '666');
  });

  test('does not open the keys: their policy names the written index', async () => {
    await expect(scene.sign('666')).rejects.toMatchObject({ kind: 'conflict', code: 'card-altered' });
    await expect(scene.sign(scene.pin)).rejects.toMatchObject({ kind: 'conflict', code: 'card-altered' });
    await scene.withKey(scene.key, (loaded) =>
      scene.root.policy(async (session) => {
        const proved = await outcome(session.secret(scene.definedIndex, scene.root.password('666')));
        expect(await outcome(scene.root.sign(loaded, session.spending())), `after PolicySecret: ${proved}`).toBe('99d');
      }),
    );
  });

  test('does not take the answers to a reset: they are over the written index', async () => {
    await expect(scene.made.card.challenge()).rejects.toMatchObject({ code: 'card-altered' });
    await expect(scene.made.card.tries()).rejects.toMatchObject({ code: 'card-altered' });
    await scene.root.policy(async (session) => {
      const data = pinCounter(0, 5);
      const mac = answerSignature(scene.made.vault.answerWrite(scene.index.writtenName, session.nonceTpm, data));
      const cpHash = nvWriteCpHash({ name: scene.index.writtenName, data });
      const terms = { cpHash, policyRef: CARD_REFS.write, expirationSeconds: ANSWER_EXPIRATION_SECONDS };
      await scene.withAdministratorKey((authority) => session.signed(authority, terms, mac));
      await session.commandCode(TPM_CC.NV_Write);
      await scene.root.openBranch(session, scene.made.vault.name);
      expect(await outcome(scene.root.write(scene.definedIndex, data, session.spending()))).toBe('99d');
    });
  });

  test('trap 3: is not made a card by its first answer, replayed', async () => {
    const challenge = await scene.maker.firstWriteChallenge(scene.made.record);
    const old = scene.made.vault.answerFirstWrite(scene.made.record.slot, new Uint8Array(16), 5);
    await expect(challenge.finish(old)).rejects.toMatchObject({ code: 'response-refused-by-card' });
    await challenge.abandon();
    expect(await scene.maker.slotState(scene.made.record.slot, scene.made.vault.name)).toBe('defined');
  });

  // Why the vault signs the first write once in a key's life: a second signature, and the card is his.
  test('trap 3: "the server signs the first write exactly once": a second time, and the card is the owner’s, keys and all', async () => {
    const challenge = await scene.maker.firstWriteChallenge(scene.made.record);
    await challenge.finish(scene.made.vault.answerFirstWrite(scene.made.record.slot, challenge.nonce, 5));
    await scene.sign('666');
  });
});

test('an index swapped between challenge and answer: nothing is set, and the card is said to be altered', async () => {
  const challenge = await scene.made.card.challenge();
  await scene.root.undefine(scene.writtenIndex);
  await scene.root.define(scene.index.nvPublic, '666');
  const finishing = challenge.finish(
    scene.made.vault.answerReset(scene.made.record.slot, challenge, 5),
    secret('314159'),
  );
  await expect(finishing).rejects.toMatchObject({ kind: 'conflict', code: 'card-altered' });
  expect(await scene.maker.slotState(scene.made.record.slot, scene.made.vault.name)).toBe('defined');
  await challenge.abandon();
});

// Every command that takes an NV index, but reading, certifying and undefining: none of them does anything to a card's.
test('trap 2: no other command of the TPM changes the index: not by the owner, not with the PIN, not by a branch', async () => {
  const attempts: [string, number, Uint8Array][] = [
    ['NV_Increment', 0x134, NONE],
    ['NV_SetBits', 0x135, new Uint8Array(8).fill(0xff)],
    ['NV_Extend', 0x136, sized(new Uint8Array(8))],
    ['NV_Write', 0x137, new Writer().sized(pinCounter(0, 100)).u16(0).done()],
    ['NV_WriteLock', 0x138, NONE],
    ['NV_ReadLock', 0x14f, NONE],
  ];
  const owner: Entity = { handle: TPM_RH.OWNER, name: u32(TPM_RH.OWNER) };
  const done: string[] = [];
  for (const [name, code, parameters] of attempts) {
    const run = (as: Entity, authorizer: Authorizer) =>
      scene.root.run(code, [as, scene.writtenIndex], [authorizer], parameters);
    const ways: [string, () => Promise<unknown>][] = [
      ['owner', () => run(owner, EMPTY_AUTH)],
      ['PIN', () => run(scene.writtenIndex, scene.root.password(scene.pin))],
      [
        'branch',
        () =>
          scene.root.policy(async (session) => {
            await session.commandCode(TPM_CC.NV_Read);
            await scene.root.openBranch(session, scene.made.vault.name);
            await run(scene.writtenIndex, session.spending());
          }),
      ],
    ];
    for (const [way, attempt] of ways) if ((await outcome(attempt())) === 'done') done.push(`${name} by ${way}`);
  }
  expect(done).toEqual([]);
  await scene.expectUnharmed();
});
