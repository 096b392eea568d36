import { Secret } from '@cardwright/protocol';
import { type Bytes, sized, TPM_ALG, u32, Writer } from '@cardwright/protocol/tpm';
import { describe, expect, test } from 'vitest';
import { EMPTY_AUTH, type Entity } from '../../tpm/index.ts';
import { startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../../tpm/wire.ts';
import { makeCard } from '../testing/make-card.ts';
import { outcome } from '../testing/root.ts';
import { Scene } from '../testing/scene.ts';
import { tpmCardMaker } from './index.ts';
import { decodeStored } from './stored.ts';

// Each test does what root on the device could, against the TPM itself, and sees it refused by the TPM.
const secret = (text: string) => Secret.fromText(text);
const NONE = new Uint8Array();
const scene = Scene.forEachTest();

describe('a key of the card', () => {
  test('is not used without the PIN: not by its own (empty) password, not by an empty policy', async () => {
    await scene.withKey(scene.key, async (loaded) => {
      expect(await outcome(scene.root.sign(loaded, EMPTY_AUTH))).toBe('12f');
      await scene.root.policy(async (session) => {
        expect(await outcome(scene.root.sign(loaded, session.spending()))).toBe('99d');
      });
    });
    await scene.expectUnharmed();
  });

  test('of another card is refused before the PIN is tried', async () => {
    await scene.roots.release();
    const other = await makeCard(scene.maker, scene.pin);
    const foreign = await scene.maker.makeKey(other.record, 'ec-p256');
    const signing = scene.made.card.sign({ key: foreign, hash: 'sha256', digest: scene.digest, pin: secret('000000') });
    await expect(signing).rejects.toMatchObject({ kind: 'conflict', code: 'key-of-another-card' });
    await scene.maker.discard(other.record.slot, other.vault.name);
    await scene.expectUnharmed();
  });

  test.each([
    ['key-blob-malformed', 'cut short', (blob: Bytes) => blob.slice(0, -1)],
    ['key-blob-malformed', 'longer', (blob: Bytes) => Uint8Array.from([...blob, 0])],
    ['key-blob-malformed', 'of another format', (blob: Bytes) => blob.map((byte, i) => (i === 3 ? 9 : byte))],
    ['key-blob-malformed', 'empty', () => NONE],
    [
      'key-blob-refused',
      'damaged in its private part',
      (blob: Bytes) => blob.map((byte, i) => (i === 140 ? byte ^ 1 : byte)),
    ],
  ])('%s: stored %s', async (code, _, damage) => {
    const signing = scene.made.card.sign({
      key: damage(scene.key),
      hash: 'sha256',
      digest: scene.digest,
      pin: secret(scene.pin),
    });
    await expect(signing).rejects.toMatchObject({ code });
    await scene.expectUnharmed();
  });
});

describe('the administrator key, to root', () => {
  // HMAC, Sign, HMAC_Start, Duplicate, ObjectChangeAuth.
  test('reading the administrator key: it computes no answer, does not leave, and takes no new password', async () => {
    const parent = await scene.roots.named(scene.made.record.parentName);
    const hmac = new Writer().sized(scene.digest).u16(TPM_ALG.SHA256).done();
    const signing = new Writer().sized(scene.digest).u16(TPM_ALG.HMAC).u16(TPM_ALG.SHA256).bytes(NO_TICKET).done();
    const newAuth = new Writer().sized(NONE).done();
    const duplicate = new Writer().sized(NONE).u16(TPM_ALG.NULL).done();
    const nowhere: Entity = { handle: 0x40000007, name: u32(0x40000007) };
    await scene.withAdministratorKey(async (authority) => {
      const attempts: [number, readonly Entity[], Bytes][] = [
        [0x155, [authority], hmac],
        [0x15d, [authority], signing],
        [0x15b, [authority], new Writer().sized(NONE).u16(TPM_ALG.SHA256).done()],
        [0x14b, [authority, nowhere], duplicate],
        [0x150, [authority, parent], newAuth],
      ];
      for (const [code, handles, parameters] of attempts) {
        const byPassword = await outcome(scene.root.run(code, handles, [EMPTY_AUTH], parameters));
        const byPolicy = await scene.root.policy(async (session) => {
          if (code === 0x14b || code === 0x150) await session.commandCode(code);
          return outcome(scene.root.run(code, handles, [session.spending()], parameters));
        });
        expect([code.toString(16), byPassword, byPolicy]).toEqual(REFUSED.get(code));
      }
    });
    await scene.expectUnharmed();
  });

  test('reading the administrator key: neither its wrap nor its stored blob opens with a public part that gives more', async () => {
    const parent = await scene.roots.named(scene.made.record.parentName);
    const wrapped = scene.made.vault.wrapFor((await scene.maker.parent()).public);
    const USER_WITH_AUTH = 0x40;
    const public_ = flip(wrapped.public, 7, USER_WITH_AUTH);
    const importing = new Writer().sized(NONE).bytes(public_).bytes(wrapped.duplicate).bytes(wrapped.inSymSeed);
    expect(await outcome(scene.root.run(0x156, [parent], [EMPTY_AUTH], importing.u16(TPM_ALG.NULL).done()))).toBe(
      '3df',
    );
    for (const blob of [scene.made.record.administratorKey, scene.key]) {
      const { publicArea, privateArea } = decodeStored(blob);
      const opened = flip(sized(publicArea), 7, USER_WITH_AUTH);
      const loading = new Writer().sized(privateArea).bytes(opened).done();
      expect(await outcome(scene.root.run(0x157, [parent], [EMPTY_AUTH], loading))).toBe('1df');
    }
    await scene.expectUnharmed();
  });

  test.each([
    ['usable with its password', (area: Bytes) => flip(area, 7, 0x40)],
    ['not of the card’s kind', (area: Bytes) => flip(area, 5, 0x02)],
  ])('an administrator key that is %s is not imported', async (_, alter) => {
    const wrapped = scene.made.vault.wrapFor((await scene.maker.parent()).public);
    const altered = { ...wrapped, public: alter(wrapped.public) };
    const importing = scene.maker.importAdministratorKey(altered);
    await expect(importing).rejects.toMatchObject({ kind: 'unprocessable', code: 'administrator-key-refused' });
  });

  test('wrapped for another device, or cut short, it is refused', async () => {
    const other = await startSoftwareTpm();
    try {
      const elsewhere = tpmCardMaker(await openTpm(other.tcti));
      const wrapped = scene.made.vault.wrapFor((await elsewhere.parent()).public);
      await elsewhere.close();
      await expect(scene.maker.importAdministratorKey(wrapped)).rejects.toMatchObject({
        code: 'administrator-key-refused',
      });
      const short = { ...wrapped, duplicate: wrapped.duplicate.slice(0, -1) };
      await expect(scene.maker.importAdministratorKey(short)).rejects.toMatchObject({
        code: 'administrator-key-refused',
      });
    } finally {
      await other.stop();
    }
  });
});

test('a store copied to another device is recognised', async () => {
  const other = await startSoftwareTpm();
  try {
    const elsewhere = tpmCardMaker(await openTpm(other.tcti));
    const copied = elsewhere.open(scene.made.record);
    const signing = copied.sign({ key: scene.key, hash: 'sha256', digest: scene.digest, pin: secret(scene.pin) });
    await expect(signing).rejects.toMatchObject({ kind: 'conflict', code: 'card-of-another-device' });
    await elsewhere.close();
  } finally {
    await other.stop();
  }
});

/** A NULL hashcheck ticket. */
const NO_TICKET = new Writer().u16(0x8024).u32(0x40000007).sized(NONE).done();

/** Command, refused by password with, refused by policy session with. */
const REFUSED = new Map<number, readonly string[]>([
  [0x155, ['155', '12f', '99d']],
  [0x15d, ['15d', '12f', '99d']],
  [0x15b, ['15b', '12f', '99d']],
  [0x14b, ['14b', '124', '99d']],
  [0x150, ['150', '124', '99d']],
]);

function flip(bytes: Bytes, at: number, bit: number): Bytes {
  return bytes.map((byte, i) => (i === at + 2 ? byte ^ bit : byte));
}
