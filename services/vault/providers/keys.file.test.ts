import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@cardwright/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newBundle } from '../testing/provider.ts';
import { decodeKeyBundle, encodeKeyBundle } from './key-bundle.ts';
import { createKeysFile, readKeysFile, readVaultSecret } from './keys.file.ts';

let directory: string;
let path: string;
const secret = () => Secret.fromText('correct horse battery staple');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vault-keys-'));
  path = join(directory, 'keys.json');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const hex = (of: Secret | undefined) => of?.use((bytes) => Buffer.from(bytes).toString('hex'));

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: { kind: string; code: string }) => `${error.kind} ${error.code}`,
  );
}

describe('the keys file', () => {
  it('is 0600, alone in its directory, and opens with its secret', async () => {
    await createKeysFile(path, secret());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['keys.json']);
    const bundle = await readKeysFile(path, secret());
    expect([...bundle.keks.keys()]).toEqual([1]);
    expect([...bundle.masters.keys()]).toEqual([1]);
    const again = await readKeysFile(path, secret());
    expect(hex(again.keks.get(1))).toBe(hex(bundle.keks.get(1)));
    expect(hex(again.keks.get(1))).not.toBe(hex(again.masters.get(1)));
  });

  it('holds no key in clear', async () => {
    await createKeysFile(path, secret());
    const { keks, masters, importKey } = await readKeysFile(path, secret());
    const sealed = Buffer.from((JSON.parse(readFileSync(path, 'utf8')) as { sealed: string }).sealed, 'base64');
    for (const key of [keks.get(1), masters.get(1), importKey]) {
      expect(sealed.includes(Buffer.from(hex(key) ?? '', 'hex').subarray(-16))).toBe(false);
    }
  });

  it('is never replaced', async () => {
    writeFileSync(path, 'mine');
    expect(await codeOf(createKeysFile(path, secret()))).toBe('conflict vault-keys-file-exists');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(directory)).toEqual(['keys.json']);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('with the mode %o is refused, and the way out is said', async (mode) => {
    await createKeysFile(path, secret());
    chmodSync(path, mode);
    expect(await codeOf(readKeysFile(path, secret()))).toBe('unprocessable vault-keys-file-mode');
    await expect(readKeysFile(path, secret())).rejects.toThrow(`mode 0${mode.toString(8)}`);
    await expect(readKeysFile(path, secret())).rejects.toThrow(`chmod 600 ${path}`);
  });

  it('does not open with another secret, or with its parameters weakened', async () => {
    await createKeysFile(path, secret());
    expect(await codeOf(readKeysFile(path, Secret.fromText('correct horse battery stapler')))).toBe(
      'unprocessable vault-secret-wrong',
    );
    const file = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...file, argon2id: { ...file.argon2id, passes: 1 } }));
    expect(await codeOf(readKeysFile(path, secret()))).toBe('unprocessable vault-secret-wrong');
  });

  it.each([
    ['no JSON', 'x'],
    ['another format', '{"format":"other"}'],
    ['null', 'null'],
    ['costs that would stop the host', { argon2id: { memoryKib: 2 ** 31, passes: 3, lanes: 1 } }],
    ['no costs', { argon2id: null }],
    ['a short salt', { salt: 'AAAA' }],
    ['a short seal', { sealed: 'AAAA' }],
  ])('with %s is refused', async (_, change) => {
    await createKeysFile(path, secret());
    const file = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, typeof change === 'string' ? change : JSON.stringify({ ...file, ...change }));
    expect(await codeOf(readKeysFile(path, secret()))).toBe('unprocessable vault-keys-file-invalid');
  });

  it('that is not there is refused', async () => {
    expect(await codeOf(readKeysFile(path, secret()))).toBe('unprocessable vault-keys-file-missing');
  });
});

describe("the keys file's contents", () => {
  it('come back as they were, several versions of each', () => {
    const bundle = newBundle([1, 2, 9]);
    const back = decodeKeyBundle(encodeKeyBundle(bundle));
    expect([...back.keks.keys()]).toEqual([1, 2, 9]);
    expect(hex(back.keks.get(9))).toBe(hex(bundle.keks.get(9)));
    expect(hex(back.importKey)).toBe(hex(bundle.importKey));
  });

  it('cut anywhere, or longer, are refused', () => {
    const bytes = encodeKeyBundle(newBundle()).use((all) => Uint8Array.from(all));
    for (const wrong of [...bytes.keys()].map((end) => bytes.subarray(0, end)).concat(new Uint8Array([...bytes, 0]))) {
      expect(() => decodeKeyBundle(Secret.take(Uint8Array.from(wrong)))).toThrow(
        expect.objectContaining({ code: 'vault-keys-file-invalid' }),
      );
    }
  });
});

describe("the vault's secret", () => {
  const read = () => readVaultSecret(join(directory, 'secret'));
  const write = (text: string, mode = 0o600) => {
    writeFileSync(join(directory, 'secret'), text, { mode });
    chmodSync(join(directory, 'secret'), mode);
  };

  it('is the whole file but its last line end', async () => {
    write('0123456789abcdef \r\n');
    expect(hex(await read())).toBe(Buffer.from('0123456789abcdef ').toString('hex'));
  });

  it('must be there, long enough, and not writable by others', async () => {
    expect(await codeOf(read())).toBe('unprocessable vault-secret-missing');
    write('0123456789abcde\n');
    expect(await codeOf(read())).toBe('unprocessable vault-secret-too-short');
    write('0123456789abcdef', 0o620);
    expect(await codeOf(read())).toBe('unprocessable vault-secret-file-mode');
  });
});
