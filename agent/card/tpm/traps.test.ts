import { Secret } from '@cardwright/protocol';
import {
  answerSignature,
  CARD_NV_ATTRIBUTES,
  CARD_REFS,
  encodeNvPublic,
  nvName,
  PIN_PROVED,
  pinCounter,
  selfChangeApproval,
  sha256,
  TPM_CC,
  TPM_RH,
  u32,
  written,
} from '@cardwright/protocol/tpm';
import { describe, expect, test } from 'vitest';
import { type Entity, handlesInUse, verifySignature } from '../../tpm/index.ts';
import { startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import { makeCard } from '../testing/make-card.ts';
import { outcome } from '../testing/root.ts';
import { Scene } from '../testing/scene.ts';
import { tpmCardMaker } from './index.ts';

// Each test walks into a trap of the design on purpose, as root could; the README beside lists where each trap is tried.
const secret = (text: string) => Secret.fromText(text);
const NONE = new Uint8Array();
const scene = Scene.forEachTest();

describe('trap 1: "PolicyAuthValue or PolicyPassword on a PIN_FAIL index bypasses pinLimit"', () => {
  test('it does on an index that is made carelessly, so the same attack on the card shows something', async () => {
    const nvIndex = 0x01800100;
    const authPolicy = sha256(new Uint8Array(32), u32(TPM_CC.PolicyAuthValue));
    const [ownerWrite, policyWrite] = [0x2, 0x8];
    const nv = { nvIndex, attributes: (CARD_NV_ATTRIBUTES & ~policyWrite) | ownerWrite, authPolicy, dataSize: 8 };
    await scene.root.define(encodeNvPublic(nv), '8128');
    const careless: Entity = { handle: nvIndex, name: nvName(written(nv)) };
    await scene.root.writeAsOwner({ handle: nvIndex, name: nvName(nv) }, pinCounter(0, 5));
    const guess = (pin: string) =>
      scene.root.policy(async (session) => {
        await scene.root.on(session, TPM_CC.PolicyPassword);
        const shown = { begin: () => ({ ...session.spending().begin(), hmac: () => new TextEncoder().encode(pin) }) };
        return outcome(scene.root.read(careless, shown));
      });
    const attempts: string[] = [];
    for (let i = 0; i < 7; i++) attempts.push(await guess('0000'));
    attempts.push(await guess('8128'));
    expect(attempts).toEqual([...Array<string>(7).fill('9a2'), 'done']);
    await scene.root.undefine(careless);
  });
});

describe('trap 6: "PolicySecret tickets (PIN caching) outlive a block"', () => {
  test('the TPM gives a ticket to root with the PIN, and it opens no key: not while it is open, not blocked', async () => {
    const ticket = await scene.root.ticket(scene.writtenIndex, scene.pin, -3600);
    expect(ticket.bytes.length, 'a real ticket').toBeGreaterThan(40);
    const use = () =>
      scene.withKey(scene.key, (loaded) =>
        scene.root.policy(async (session) => [
          await outcome(scene.root.useTicket(session, ticket, scene.index.writtenName)),
          await outcome(scene.root.sign(loaded, session.spending())),
        ]),
      );
    expect(await use()).toEqual(['done', '99d']);
    await scene.block();
    expect(await use()).toEqual(['done', '99d']);
  });

  test('nor does it change the PIN', async () => {
    const ticket = await scene.root.ticket(scene.writtenIndex, scene.pin, -3600);
    const { approvedPolicy, digest } = selfChangeApproval(scene.index.writtenName);
    const signature = answerSignature(scene.made.vault.approveSelfChange(scene.made.record.slot).signature);
    const approval = await scene.withAdministratorKey((key) => verifySignature(scene.tpm, key, digest, signature));
    await scene.root.policy(async (session) => {
      await scene.root.useTicket(session, ticket, scene.index.writtenName);
      await session.commandCode(TPM_CC.NV_ChangeAuth);
      const approving = session.authorize(approvedPolicy, CARD_REFS.self, scene.made.vault.name, approval);
      expect(await outcome(approving)).toBe('1c4');
    });
    await scene.expectUnharmed();
  });

  test('the proof that the keys want gives no ticket, and is not had by a policy session or by the owner', async () => {
    await scene.root.policy(async (session) => {
      expect(await scene.root.provePin(session, scene.writtenIndex, scene.root.password(scene.pin))).toEqual(NONE);
    });
    await scene.root.policy((session) =>
      scene.root.policy(async (reading) => {
        await reading.commandCode(TPM_CC.NV_Read);
        await scene.root.openBranch(reading, scene.made.vault.name);
        const proving = scene.root.provePin(session, scene.writtenIndex, reading.spending());
        expect(await outcome(proving), 'the branch is for NV_Read alone').toBe('9a4');
      }),
    );
    await scene.root.policy(async (session) => {
      const owner: Entity = { handle: TPM_RH.OWNER, name: u32(TPM_RH.OWNER) };
      const proving = scene.root.provePin(session, scene.writtenIndex, scene.root.password(''), owner);
      expect(await outcome(proving)).toBe('149');
    });
    await scene.expectUnharmed();
  });

  // What the TPM can't be asked for: whoever had the PIN may have kept sessions open in which it was proved.
  test('known limit: a session in which the PIN was proved before the block is good for one signature', async () => {
    await scene.root.policy(async (session) => {
      await session.nv(scene.writtenIndex, PIN_PROVED, scene.root.password(scene.pin));
      const wrong = () =>
        scene.root.policy((other) => other.nv(scene.writtenIndex, PIN_PROVED, scene.root.password('000000')));
      for (let i = 0; i < 5; i++) expect(await outcome(wrong())).toBe('9a2');
      expect(await outcome(wrong())).toBe('12f');
      await scene.withKey(scene.key, async (loaded) => {
        expect(await outcome(scene.root.sign(loaded, session.spending()))).toBe('done');
        expect(await outcome(scene.root.sign(loaded, session.spending()))).not.toBe('done');
      });
    });
    await expect(scene.sign(scene.pin)).rejects.toMatchObject({ code: 'card-blocked' });
  });
});

describe('trap 7: "The owner can always delete the index: denial of service, not theft"', () => {
  test('the keys are then dead for everybody, with the PIN too', async () => {
    await scene.root.undefine(scene.writtenIndex);
    await expect(scene.sign(scene.pin)).rejects.toMatchObject({ kind: 'conflict', code: 'card-missing' });
    await scene.withKey(scene.key, (loaded) =>
      scene.root.policy(async (session) => {
        const proving = scene.root.provePin(session, scene.writtenIndex, scene.root.password(scene.pin));
        expect(await outcome(proving)).toBe('18b');
        expect(await outcome(scene.root.sign(loaded, session.spending()))).toBe('99d');
      }),
    );
  });

  test('TPM2_Clear takes card and keys away, and the store is known to be of another device', async () => {
    const own = await startSoftwareTpm();
    try {
      const maker = tpmCardMaker(await openTpm(own.tcti));
      const made = await makeCard(maker, scene.pin);
      const key = await maker.makeKey(made.record, 'ec-p256');
      await maker.close();
      await own.tool('tpm2_clear', '-Q', '-c', 'p');
      const cleared = tpmCardMaker(await openTpm(own.tcti));
      expect(await cleared.slotState(made.record.slot, made.vault.name)).toBe('absent');
      const signing = cleared.open(made.record);
      await expect(
        signing.sign({ key, hash: 'sha256', digest: scene.digest, pin: secret(scene.pin) }),
      ).rejects.toMatchObject({ kind: 'conflict', code: 'card-of-another-device' });
      await cleared.close();
    } finally {
      await own.stop();
    }
  });
});

describe('trap 8: "swtpm has 3 transient slots and no resource manager (0x902): flush after each use"', () => {
  test('after every act there are only the storage key and the one secure session, however often', async () => {
    const inUse = async () => [
      (await handlesInUse(scene.tpm, 0x80000000, 0x80ffffff)).length,
      (await handlesInUse(scene.tpm, 0x02000000, 0x03ffffff)).length,
    ];
    const { card, vault, record } = scene.made;
    const approval = vault.approveSelfChange(record.slot);
    const acts: [string, () => Promise<unknown>][] = [
      ['sign', () => scene.sign(scene.pin)],
      ['a wrong PIN', () => scene.sign('000000').catch(() => undefined)],
      ['change', () => card.changePin(secret(scene.pin), secret('314159'), approval)],
      ['a change refused', () => card.changePin(secret(scene.pin), secret('1'), approval).catch(() => undefined)],
      ['change back', () => card.changePin(secret('314159'), secret(scene.pin), approval)],
      ['a challenge given up', async () => (await card.challenge()).abandon()],
      [
        'reset',
        async () => {
          const challenge = await card.challenge();
          await challenge.finish(vault.answerReset(record.slot, challenge, 5), secret(scene.pin));
        },
      ],
      ['make a key', () => scene.maker.makeKey(record, 'ec-p256')],
      ['import', async () => scene.maker.importAdministratorKey(vault.wrapFor((await scene.maker.parent()).public))],
      ['tries', () => card.tries()],
    ];
    for (let round = 0; round < 3; round++) {
      for (const [what, act] of acts) {
        await act();
        expect([what, ...(await inUse())]).toEqual([what, 1, 1]);
      }
    }
  });
});

describe('trap 9: "an old blob with the old PIN works for ever, and five wrong PINs lock the whole TPM"', () => {
  test('a store from before a change of the PIN does not bring the old PIN back', async () => {
    const before = { record: scene.made.record, key: scene.key };
    const approval = scene.made.vault.approveSelfChange(scene.made.record.slot);
    await scene.made.card.changePin(secret(scene.pin), secret('314159'), approval);
    const restored = scene.maker.open(before.record);
    const request = { key: before.key, hash: 'sha256', digest: scene.digest } as const;
    const old = restored.sign({ ...request, pin: secret(scene.pin) });
    await expect(old).rejects.toMatchObject({ code: 'pin-wrong', data: { triesLeft: 4 } });
    await restored.sign({ ...request, pin: secret('314159') });
  });

  test('a blocked card leaves the TPM, and the other card on it, as they were', async () => {
    const other = await makeCard(scene.maker, '602214');
    const otherKey = await scene.maker.makeKey(other.record, 'ec-p256');
    await scene.block();
    await expect(scene.sign(scene.pin)).rejects.toMatchObject({ code: 'card-blocked' });
    expect(await scene.root.lockoutCounter(), 'TPM_PT_LOCKOUT_COUNTER').toBe(0);
    expect(await other.card.tries()).toEqual({ left: 5, limit: 5 });
    await other.card.sign({ key: otherKey, hash: 'sha256', digest: scene.digest, pin: secret('602214') });
    await scene.maker.discard(other.record.slot, other.vault.name);
  });
});
