import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { lockoutAuthority, lockoutResetMessage, parseStoragePublic, wrapSealedData } from '@cardwright/protocol/tpm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTpm, readLockout } from '../tpm/index.ts';
import { openWatched } from '../tpm/testing/cut-off.socket.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../tpm/testing/software-tpm.process.ts';
import { tpmLockout } from './lockout.tpm.ts';
import type { LockoutPort, LockoutProtection } from './port.ts';

const INDEX = '0x1500001';
const RULES = { maxTries: 3, forgivenAfterSeconds: 700, passwordPauseSeconds: 1200 };
const PASSWORD = 'a password of the vault';
const random = (bytes: number) => new Uint8Array(randomBytes(bytes));

let software: SoftwareTpm;
/** The vault's part. */
let key: KeyObject;
let authority: Uint8Array;
beforeEach(async () => {
  software = await startSoftwareTpm();
  ({ key, authority } = vaultKey());
  await software.tool('tpm2_nvdefine', '-C', 'o', '-s', '8', '-p', 'right', '-a', 'authread|authwrite', INDEX);
});
afterEach(() => software.stop());

function vaultKey(): { key: KeyObject; authority: Uint8Array } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' });
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
  return { key: pair.privateKey, authority: lockoutAuthority({ x: bytes(x), y: bytes(y) }).publicArea };
}

const answer = (nonce: Uint8Array, by = key) =>
  new Uint8Array(sign('sha256', lockoutResetMessage(nonce), { key: by, dsaEncoding: 'ieee-p1363' }));

async function withLockout<T>(work: (lockout: LockoutPort) => Promise<T>): Promise<T> {
  const lockout = tpmLockout(await openTpm(software.tcti));
  try {
    return await work(lockout);
  } finally {
    await lockout.close();
  }
}

async function protection(lockout: LockoutPort): Promise<LockoutProtection> {
  const parent = parseStoragePublic((await lockout.parent()).public);
  const data = new TextEncoder().encode(PASSWORD);
  return { authority, rules: RULES, password: wrapSealedData({ data, seedValue: random(32), parent, random }) };
}

const protect = () => withLockout(async (lockout) => lockout.protect(await protection(lockout)));

async function state() {
  const tpm = await openTpm(software.tcti);
  try {
    return await readLockout(tpm);
  } finally {
    await tpm.close();
  }
}

async function lockTpm(): Promise<void> {
  for (let wrong = 0; wrong < 4; wrong++) {
    await expect(software.tool('tpm2_nvread', '-C', INDEX, '-P', 'wrong', INDEX)).rejects.toThrow();
  }
  expect(await state()).toMatchObject({ locked: true });
}

describe('a lockout under protection', () => {
  it('has the rules, the password and the policy, and is made once', async () => {
    expect(await protect()).toBe('made');
    expect(await state()).toMatchObject({ passwordSet: true, ...RULES });
    expect(await protect()).toBe('done');
    // The independent peer: the password is the vault's.
    await software.tool('tpm2_dictionarylockout', '--clear-lockout', '-p', PASSWORD);
    await expect(software.tool('tpm2_dictionarylockout', '--clear-lockout')).rejects.toThrow();
  });

  it('is reset by challenge and response, once a response, and by nobody else', async () => {
    await protect();
    await lockTpm();
    await withLockout(async (lockout) => {
      const challenge = await lockout.challenge(authority);
      const response = answer(challenge.nonce);
      await expect(challenge.finish(answer(random(16)))).rejects.toMatchObject({ code: 'response-refused-by-tpm' });
      await expect(challenge.finish(answer(challenge.nonce, vaultKey().key))).rejects.toMatchObject({
        code: 'response-refused-by-tpm',
      });
      await challenge.finish(response);
      await challenge.abandon();
      const replayed = await lockout.challenge(authority);
      await expect(replayed.finish(response)).rejects.toMatchObject({ code: 'response-refused-by-tpm' });
      await replayed.abandon();
      // A key of the attacker's own is loaded as readily, and is not the one of the policy.
      const other = vaultKey();
      const own = await lockout.challenge(other.authority);
      await expect(own.finish(answer(own.nonce, other.key))).rejects.toMatchObject({ code: 'lockout-not-protected' });
      await own.abandon();
    });
    expect(await state()).toMatchObject({ locked: false, wrongTries: 0, passwordSet: true });
  });

  it('is also reset where the storage key is locked with the TPM, and the password path is closed', async () => {
    await software.tool('tpm2_createprimary', '-C', 'o', '-G', 'ecc', '-c', 'srk.ctx');
    await software.tool('tpm2_evictcontrol', '-C', 'o', '-c', 'srk.ctx', '0x81000001');
    await software.tool('tpm2_flushcontext', '-t');
    await protect();
    await lockTpm();
    await expect(software.tool('tpm2_dictionarylockout', '--clear-lockout', '-p', 'wrong')).rejects.toThrow();
    await expect(software.tool('tpm2_dictionarylockout', '--clear-lockout', '-p', PASSWORD)).rejects.toThrow();
    await withLockout(async (lockout) => {
      const challenge = await lockout.challenge(authority);
      await challenge.finish(answer(challenge.nonce));
    });
    expect(await state()).toMatchObject({ locked: false });
  });

  it('of somebody else is left alone, and his password is not guessed at', async () => {
    await software.tool('tpm2_changeauth', '-c', 'lockout', 'theirs');
    await expect(protect()).rejects.toMatchObject({ kind: 'conflict', code: 'lockout-password-set' });
    await software.tool('tpm2_dictionarylockout', '--clear-lockout', '-p', 'theirs');
  });

  it('that was begun and cut off between any two commands is made whole by the next run', async () => {
    const given = await withLockout(protection);
    const whole = await openWatched(software.tcti);
    await tpmLockout(whole.tpm).protect(given);
    const commands = whole.sent.length;
    await whole.tpm.close();
    let [begun, made] = [0, 0];
    for (const when of ['before', 'after'] as const) {
      for (let cut = 0; cut < commands; cut++) {
        await software.tool('tpm2_changeauth', '-c', 'lockout', '-p', PASSWORD);
        const watched = await openWatched(software.tcti);
        watched.cutAfter(cut, when);
        await tpmLockout(watched.tpm)
          .protect(given)
          .catch(() => begun++);
        await watched.tpm.close();
        if ((await withLockout((lockout) => lockout.protect(given))) === 'made') made++;
        expect(await state()).toMatchObject({ passwordSet: true, wrongTries: 0, ...RULES });
      }
    }
    expect(begun).toBeGreaterThan(commands);
    expect(made).toBeGreaterThan(commands);
  });
});
