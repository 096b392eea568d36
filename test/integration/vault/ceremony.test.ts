import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { decodeLines, encodeLines } from '@cardwright/protocol/challenge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../support/run.ts';
import { everyKeyAnswers, type KeyedVault, keyedVault, nothingIsLeftToDo } from '../../support/vault-keys-faults.ts';

const SHARE_BYTES = 41;
let keyed: KeyedVault;
let share: (number: number) => string;
beforeAll(async () => {
  keyed = await keyedVault(5);
  share = (number) => `${keyed.shares[number - 1]}\n`;
}, 60_000);
afterAll(() => keyed?.remove());

const check = async (input: string) => refusalOf(await keyed.command(['recover', '--check'], {}, input));

function altered(text: string, at: number): string {
  const decoded = decodeLines(text, SHARE_BYTES);
  if (!decoded.ok) throw new Error(decoded.detail);
  decoded.bytes[at] = (decoded.bytes[at] ?? 0) ^ 1;
  return `${encodeLines(decoded.bytes).join('\n')}\n`;
}

describe('the shares of a ceremony', () => {
  it('are four lines each, all different, and are written nowhere', () => {
    expect(keyed.shares.map((text) => text.split('\n').length)).toEqual([4, 4, 4]);
    expect(new Set(keyed.shares).size).toBe(3);
    const written = readFileSync(keyed.recoveryFile, 'utf8') + readFileSync(keyed.files.keysFile, 'utf8');
    for (const text of keyed.shares) for (const line of text.split('\n')) expect(written).not.toContain(line);
  });

  it.each([
    [1, 2],
    [2, 3],
    [3, 1],
  ])('%i and %i open the recovery file, typed in any case and spacing', async (a, b) => {
    expect(await check(share(a) + share(b))).toBeNull();
    expect(await check(`# mine\n\n${(share(a) + share(b)).toLowerCase().replaceAll(' ', '')}.\n`)).toBeNull();
  });

  it('are refused when too few, repeated, mistyped, changed, or of another ceremony', async () => {
    expect(await check('')).toBe('recovery-shares-too-few');
    expect(await check(share(1))).toBe('recovery-shares-too-few');
    expect(await check(share(1) + share(1))).toBe('recovery-share-repeated');
    const slip = share(2).replace(/^./, (first) => (first === '0' ? '1' : '0'));
    const ran = await keyed.command(['recover', '--check'], {}, share(1) + slip);
    expect(refusalOf(ran)).toBe('recovery-share-mistyped');
    expect(ran.stderr).toContain('share 2, line 1');
    expect(await check(share(1) + share(2).slice(0, 20))).toBe('recovery-share-mistyped');
    expect(await check(share(1) + altered(share(2), 20))).toBe('recovery-shares-wrong');
    expect(await check(share(1) + altered(share(2), 2))).toBe('recovery-shares-mixed');
    expect(await check(share(1) + altered(share(2), 0))).toBe('recovery-share-unknown');
  });

  it('make no second vault: nothing that is there is replaced', async () => {
    const input = share(1) + share(2);
    expect(refusalOf(await keyed.command(['recover'], {}, input))).toBe('vault-keys-file-exists');
    const init = ['init', '--shares', '3', '--threshold', '2'];
    expect(refusalOf(await keyed.command(init, {}, '\n\n\n'))).toBe('recovery-file-exists');
    const elsewhere = {
      VAULT_RECOVERY_FILE: `${keyed.recoveryFile}.new`,
      VAULT_KEYS_FILE: `${keyed.files.keysFile}.new`,
    };
    expect(refusalOf(await keyed.command(init, elsewhere, '\n\n\n'))).toBe('vault-keys-exist');
    expect(refusalOf(await keyed.command(init, { VAULT_RECOVERY_FILE: '' }))).toBe('configuration-invalid');
    for (const counts of [
      ['3', '1'],
      ['2', '3'],
      ['21', '2'],
    ]) {
      const [shares = '', threshold = ''] = counts;
      const ran = await keyed.command(['init', '--shares', shares, '--threshold', threshold], elsewhere);
      expect(refusalOf(ran)).toBe('ceremony-shares-invalid');
    }
    expect((await keyed.command(['init', '--shares', 'x'], elsewhere)).exitCode).toBe(2);
  });
});

describe('the recovery file', () => {
  it('that was altered is refused', async () => {
    const text = readFileSync(keyed.recoveryFile, 'utf8');
    const document = JSON.parse(text);
    const [first, second] = document.entries;
    const input = share(1) + share(2);
    const wrong = [
      'x',
      '{}',
      JSON.stringify({ ...document, entries: [{ ...first, version: 9 }, second] }),
      JSON.stringify({ ...document, entries: [{ ...first, sealed: second.sealed }, second] }),
      JSON.stringify({ ...document, entries: [first] }),
      JSON.stringify({ ...document, threshold: 1 }),
    ];
    for (const content of wrong) {
      writeFileSync(keyed.recoveryFile, content);
      expect(await check(input)).toBe('recovery-file-invalid');
    }
    rmSync(keyed.recoveryFile);
    expect(await check(input)).toBe('recovery-file-missing');
    writeFileSync(keyed.recoveryFile, text, { mode: 0o600 });
    expect(await check(input)).toBeNull();
  });

  it('with another recovery key is given no new key', async () => {
    const text = readFileSync(keyed.recoveryFile, 'utf8');
    const document = JSON.parse(text);
    const point = Buffer.from(document.recoveryKey, 'base64');
    point[64] = (point[64] ?? 0) ^ 1;
    writeFileSync(keyed.recoveryFile, JSON.stringify({ ...document, recoveryKey: point.toString('base64') }));
    expect(refusalOf(await keyed.command(['rotate-kek']))).toBe('recovery-file-invalid');
    writeFileSync(keyed.recoveryFile, text);
  });

  it('brings lost keys back, those of later rotations too, into a file or a token', async () => {
    expect(refusalOf(await keyed.command(['rotate-kek']))).toBeNull();
    const input = share(3) + share(2);
    await keyed.vault().stop();
    rmSync(keyed.files.keysFile);
    expect(refusalOf(await keyed.command(['recover'], {}, input))).toBeNull();
    await keyed.restart();
    await everyKeyAnswers(keyed);
    await nothingIsLeftToDo(keyed);

    await keyed.vault().stop();
    rmSync(keyed.files.keysFile);
    const inToken = { VAULT_PROVIDER: 'pkcs11', VAULT_KEYS_FILE: '' };
    expect(refusalOf(await keyed.command(['recover'], inToken, input))).toBeNull();
    expect(refusalOf(await keyed.command(['recover'], inToken, input))).toBe('vault-token-not-empty');
    await keyed.restart(inToken);
    await everyKeyAnswers(keyed);
    expect(refusalOf(await keyed.command(['rotate-kek'], inToken))).toBeNull();
    await everyKeyAnswers(keyed);
    expect(await check(input)).toBeNull();
    expect(existsSync(keyed.files.keysFile)).toBe(false);
  });

  it('of before a rotation does not fit the database', async () => {
    const old = readFileSync(keyed.recoveryFile, 'utf8');
    const inToken = { VAULT_PROVIDER: 'pkcs11', VAULT_KEYS_FILE: '' };
    expect(refusalOf(await keyed.command(['rotate-kek'], inToken))).toBeNull();
    const now = readFileSync(keyed.recoveryFile, 'utf8');
    writeFileSync(keyed.recoveryFile, old);
    expect(await check(share(1) + share(2))).toBe('vault-kek-missing');
    writeFileSync(keyed.recoveryFile, now);
  });
});

describe('a ceremony that is broken off', () => {
  it('has written nothing', async () => {
    const keys = {
      VAULT_KEYS_FILE: `${keyed.files.keysFile}.other`,
      VAULT_RECOVERY_FILE: `${keyed.recoveryFile}.other`,
    };
    await keyed.forgetAllKeys();
    const ran = await keyed.command(['init', '--shares', '3', '--threshold', '2'], keys, '\n\n');
    expect(refusalOf(ran)).toBe('ceremony-broken-off');
    expect(existsSync(keys.VAULT_KEYS_FILE) || existsSync(keys.VAULT_RECOVERY_FILE)).toBe(false);
  });
});
