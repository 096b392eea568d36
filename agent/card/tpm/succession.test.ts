import { Secret } from '@cardwright/protocol';
import {
  answerSignature,
  type Bytes,
  CARD_REFS,
  nvWriteCpHash,
  pinCounter,
  rehearsalApproval,
  successionApproval,
  successorPolicies,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import { describe, expect, test } from 'vitest';
import { changeNvAuth, PolicySession, verifySignature } from '../../tpm/index.ts';
import type { CardRecord, Succession } from '../port.ts';
import { prepareCard } from '../testing/make-card.ts';
import { outcome } from '../testing/root.ts';
import { random32, Scene } from '../testing/scene.ts';
import { VaultPart } from '../testing/vault-part.ts';

const secret = (text: string) => Secret.fromText(text);
const scene = Scene.forEachTest();

/** Another key for the scene's card, imported and approved by `by`. */
async function successorOf(
  by: VaultPart,
  key = new VaultPart(),
): Promise<{ vault: VaultPart; succession: Succession }> {
  const { public: parent } = await scene.maker.parent();
  const blob = await scene.maker.importAdministratorKey(key.wrapFor(parent));
  return { vault: key, succession: { name: key.name, key: blob, approval: by.approveSuccessor(key.name) } };
}

const withSuccessions = (...successions: Succession[]): CardRecord => ({ ...scene.made.record, successions });
const answersOf = (vault: VaultPart, nonces: { resetNonce: Bytes; writeNonce: Bytes }) =>
  vault.answerReset(scene.made.record.slot, nonces, 5, scene.made.vault.name);

async function reset(record: CardRecord, by: VaultPart, pin: string): Promise<void> {
  const challenge = await scene.maker.open(record).challenge();
  try {
    await challenge.finish(answersOf(by, challenge), secret(pin));
  } finally {
    await challenge.abandon();
  }
}

/** K2 after K1, rehearsed. */
async function succeeded() {
  const second = await successorOf(scene.made.vault);
  await scene.maker.rehearse(scene.made.record, second.succession, second.vault.approveRehearsal());
  return { ...second, record: withSuccessions(second.succession) };
}

describe('a card with a second administrator key', () => {
  test('is rehearsed without a PIN: nothing changes, and again is as good', async () => {
    const { succession, vault } = await succeeded();
    await scene.maker.rehearse(scene.made.record, succession, vault.approveRehearsal());
    await scene.expectUnharmed();
  });

  test('has its PIN reset, and is unblocked, by either key', async () => {
    const { record, vault } = await succeeded();
    for (let tries = 0; tries < 5; tries++) await scene.sign('000000').catch(() => undefined);
    expect(await scene.made.card.tries()).toEqual({ left: 0, limit: 5 });
    await reset(record, vault, '314159');
    expect(await scene.made.card.tries()).toEqual({ left: 5, limit: 5 });
    await scene.sign('314159');
    await reset(record, scene.made.vault, '161803');
    await scene.sign('161803');
  });

  test('takes an answer of the new key to a challenge that was made before it had it', async () => {
    const challenge = await scene.made.card.challenge();
    const { vault, succession } = await successorOf(scene.made.vault);
    const answers = answersOf(vault, challenge);
    await expect(challenge.finish(answers, secret('1'))).rejects.toMatchObject({ code: 'response-refused-by-card' });
    await challenge.finish(answers, secret('314159'), [succession]);
    await scene.sign('314159');
  });

  test('refused answers leave all as it was, and the right one still works', async () => {
    const { record, vault } = await succeeded();
    const challenge = await scene.maker.open(record).challenge();
    const right = answersOf(vault, challenge);
    const older = answersOf(scene.made.vault, challenge);
    for (const forged of [
      { resetAnswer: random32(), writeAnswer: random32() },
      { resetAnswer: right.writeAnswer, writeAnswer: right.resetAnswer },
      { ...right, writeAnswer: random32() },
      { ...older, writeAnswer: random32() },
    ]) {
      const finishing = challenge.finish(forged, secret('666'));
      await expect(finishing).rejects.toMatchObject({ kind: 'unprocessable', code: 'response-refused-by-card' });
    }
    await challenge.finish(right, secret('314159'));
    await scene.sign('314159');
  });

  test('lets its holder change the PIN by the approval of the first key, after two successions', async () => {
    const second = await succeeded();
    const third = await successorOf(second.vault);
    await scene.maker.rehearse(second.record, third.succession, third.vault.approveRehearsal());
    const record = withSuccessions(second.succession, third.succession);
    const approval = scene.made.vault.approveSelfChange(record.slot);
    await scene.maker.open(record).changePin(secret(scene.pin), secret('314159'), approval);
    await scene.sign('314159');
  });

  test('goes on for generations: each of four keys resets the PIN', async () => {
    const vaults = [scene.made.vault];
    const successions: Succession[] = [];
    for (let generation = 1; generation < 4; generation++) {
      const next = await successorOf(vaults.at(-1) as VaultPart);
      await scene.maker.rehearse(withSuccessions(...successions), next.succession, next.vault.approveRehearsal());
      vaults.push(next.vault);
      successions.push(next.succession);
    }
    for (const [generation, vault] of vaults.entries()) {
      await reset(withSuccessions(...successions), vault, `31415${generation}`);
      await scene.sign(`31415${generation}`);
    }
  });

  test('and after sixteen is to be reissued', async () => {
    const { succession } = await successorOf(scene.made.vault);
    const full = withSuccessions(...Array.from({ length: 16 }, () => succession));
    const rehearsing = scene.maker.rehearse(full, succession, scene.made.vault.approveRehearsal());
    await expect(rehearsing).rejects.toMatchObject({ kind: 'conflict', code: 'too-many-successions' });
  });
});

describe('a successor is refused, and the card keeps what it has,', () => {
  const refused = { kind: 'unprocessable', code: 'successor-refused-by-card' };
  type Case = () => Promise<{ vault: VaultPart; succession: Succession }>;

  test.each<[string, Case]>([
    [
      'when it approves itself',
      async () => {
        const { vault, succession } = await successorOf(scene.made.vault);
        return { vault, succession: { ...succession, approval: vault.approveSuccessor(vault.name) } };
      },
    ],
    ['when another card’s key approved it', () => successorOf(new VaultPart())],
    [
      'when the approval is of another successor',
      async () => {
        const { vault, succession } = await successorOf(scene.made.vault);
        const approval = scene.made.vault.approveSuccessor(new VaultPart().name);
        return { vault, succession: { ...succession, approval } };
      },
    ],
    [
      'when it says to be the approved one, and is another key',
      async () => {
        const approved = await successorOf(scene.made.vault);
        const other = await successorOf(scene.made.vault);
        return { vault: other.vault, succession: { ...approved.succession, key: other.succession.key } };
      },
    ],
    [
      'when the approval is no signature at all',
      async () => {
        const { vault, succession } = await successorOf(scene.made.vault);
        const approval = { ...succession.approval, signature: new Uint8Array(7) };
        return { vault, succession: { ...succession, approval } };
      },
    ],
  ])('%s', async (_, make) => {
    const { vault, succession } = await make();
    const rehearsing = scene.maker.rehearse(scene.made.record, succession, vault.approveRehearsal());
    await expect(rehearsing).rejects.toMatchObject(refused);
    await scene.expectUnharmed();
    await reset(scene.made.record, scene.made.vault, '314159');
  });

  test('when the rehearsal is signed by another key than itself', async () => {
    const { succession } = await successorOf(scene.made.vault);
    for (const by of [scene.made.vault, new VaultPart()]) {
      const rehearsing = scene.maker.rehearse(scene.made.record, succession, by.approveRehearsal());
      await expect(rehearsing).rejects.toMatchObject(refused);
    }
    await scene.expectUnharmed();
  });

  test('when it is the successor of a key that the card never had', async () => {
    const stranger = await successorOf(new VaultPart());
    const third = await successorOf(stranger.vault);
    const record = withSuccessions(stranger.succession);
    const rehearsing = scene.maker.rehearse(record, third.succession, third.vault.approveRehearsal());
    await expect(rehearsing).rejects.toMatchObject(refused);
    const resetting = reset(record, stranger.vault, '666');
    await expect(resetting).rejects.toMatchObject({ code: 'response-refused-by-card' });
    await scene.expectUnharmed();
  });

  test('on a card that is gone, or replaced', async () => {
    const { vault, succession } = await successorOf(scene.made.vault);
    const rehearse = () => scene.maker.rehearse(scene.made.record, succession, vault.approveRehearsal());
    await scene.root.undefine(scene.writtenIndex);
    await expect(rehearse()).rejects.toMatchObject({ kind: 'conflict', code: 'card-missing' });
    await scene.root.define(scene.index.nvPublic, '666');
    await expect(rehearse()).rejects.toMatchObject({ kind: 'conflict', code: 'card-altered' });
  });
});

// What root on the device could try with what passes through his hands: approvals, rehearsal, answers.
describe('root on the device', () => {
  /** Into the founding key's branch "card:self" by the approval of `succession`, and from there to the index. */
  async function climb(session: PolicySession, { name, approval }: Succession): Promise<string> {
    const { digest, approvedPolicy } = successionApproval(name);
    return scene.withAdministratorKey(async (founding) => {
      const signature = answerSignature(approval.signature);
      const ticket = await verifySignature(scene.tpm, founding, digest, signature);
      const authorizing = session.authorize(approvedPolicy, CARD_REFS.self, scene.made.vault.name, ticket);
      const authorized = await outcome(authorizing);
      if (authorized !== 'done') return authorized;
      return outcome(scene.root.openBranch(session, scene.made.vault.name));
    });
  }

  test('gets nothing from the approval alone', async () => {
    const { succession } = await successorOf(scene.made.vault);
    await scene.root.policy(async (session) => {
      await session.commandCode(TPM_CC.NV_ChangeAuth);
      expect(await climb(session, succession)).toBe('1c4');
    });
    await scene.root.policy(async (session) => {
      expect(await outcome(session.or(successorPolicies(succession.name).branches))).toBe('1c4');
    });
    await scene.expectUnharmed();
  });

  test('does not turn the rehearsal into a reset: it reads, and does nothing else', async () => {
    const { vault, succession } = await successorOf(scene.made.vault);
    const { signature } = vault.approveRehearsal();
    const { approvedPolicy, digest } = rehearsalApproval();
    const rehearse = async (session: PolicySession) => {
      const ticket = await scene.withKey(succession.key, (key) =>
        verifySignature(scene.tpm, key, digest, answerSignature(signature)),
      );
      return outcome(session.authorize(approvedPolicy, CARD_REFS.self, succession.name, ticket));
    };
    // With the command that he wants, the policy is not the approved one.
    await scene.root.policy(async (session) => {
      await session.commandCode(TPM_CC.NV_ChangeAuth);
      expect(await rehearse(session)).toBe('1c4');
    });
    // With the approved one, the session stays bound to its command to the end.
    await scene.root.policy(async (session) => {
      await session.commandCode(TPM_CC.NV_Read);
      expect(await rehearse(session)).toBe('done');
      await session.or(successorPolicies(succession.name).branches);
      expect(await climb(session, succession)).toBe('done');
      const hiding = (await scene.roots.session(await scene.roots.current())).hiding();
      const changing = changeNvAuth(scene.tpm, scene.writtenIndex, session.spending(), hiding, random32());
      expect(await outcome(changing)).toBe('9a4');
      const writing = scene.root.write(scene.writtenIndex, pinCounter(0, 100), session.spending());
      expect(await outcome(writing)).toBe('9a4');
    });
    await scene.expectUnharmed();
  });

  test('gets no first write by the successor: its answers are bound to the finished card', async () => {
    const { vault, succession } = await successorOf(scene.made.vault);
    await scene.root.undefine(scene.writtenIndex);
    await scene.root.define(scene.index.nvPublic, '666');
    const data = pinCounter(0, 5);
    const attempt = async (cpHash: Bytes) => {
      const session = await PolicySession.start(scene.tpm);
      try {
        const answer = answersOf(vault, { resetNonce: session.nonceTpm, writeNonce: session.nonceTpm }).writeAnswer;
        const terms = { cpHash, policyRef: CARD_REFS.write, expirationSeconds: 900 };
        const signing = scene.withKey(succession.key, (key) => session.signed(key, terms, answerSignature(answer)));
        const signed = await outcome(signing);
        if (signed !== 'done') return signed;
        await session.commandCode(TPM_CC.NV_Write);
        await session.or(successorPolicies(succession.name).branches);
        expect(await climb(session, succession)).toBe('done');
        return await outcome(scene.root.write(scene.definedIndex, data, session.spending()));
      } finally {
        await session.end();
      }
    };
    // As it was signed: the index has another Name now. As he would need it: the signature is not over that.
    expect(await attempt(nvWriteCpHash({ name: scene.index.writtenName, data }))).toBe('99d');
    expect(await attempt(nvWriteCpHash({ name: scene.index.definedName, data }))).toBe('5db');
    await expect(scene.sign('666')).rejects.toMatchObject({ code: 'card-altered' });
    expect(await scene.maker.slotState(scene.made.record.slot, scene.made.vault.name)).toBe('defined');
  });

  test('does not raise the tries by the successor’s answer', async () => {
    const { vault, succession } = await successorOf(scene.made.vault);
    await scene.root.policy(async (session) => {
      const { writeAnswer } = answersOf(vault, { resetNonce: session.nonceTpm, writeNonce: session.nonceTpm });
      const cpHash = nvWriteCpHash({ name: scene.index.writtenName, data: pinCounter(0, 5) });
      const terms = { cpHash, policyRef: CARD_REFS.write, expirationSeconds: 900 };
      await scene.withKey(succession.key, (key) => session.signed(key, terms, answerSignature(writeAnswer)));
      await session.commandCode(TPM_CC.NV_Write);
      await session.or(successorPolicies(succession.name).branches);
      expect(await climb(session, succession)).toBe('done');
      const writing = scene.root.write(scene.writtenIndex, pinCounter(0, 100), session.spending());
      expect(await outcome(writing)).toBe('99d');
    });
    await scene.expectUnharmed();
  });

  test('does not use one card’s successor on another card', async () => {
    const other = await prepareCard(scene.maker, 'x');
    const challenge = await scene.maker.firstWriteChallenge(other.record);
    await challenge.finish(other.vault.answerFirstWrite(other.record.slot, challenge.nonce, 5));
    const { vault, succession } = await successorOf(scene.made.vault);
    const record = { ...other.record, successions: [succession] };
    const rehearsing = scene.maker.rehearse(other.record, succession, vault.approveRehearsal());
    await expect(rehearsing).rejects.toMatchObject({ code: 'successor-refused-by-card' });
    const pending = await scene.maker.open(record).challenge();
    const answers = vault.answerReset(other.record.slot, pending, 5, other.vault.name);
    const finishing = pending.finish(answers, secret('666'));
    await expect(finishing).rejects.toMatchObject({ code: 'response-refused-by-card' });
    await pending.abandon();
    await scene.maker.discard(other.record.slot, other.vault.name);
    await scene.expectUnharmed();
  });
});
