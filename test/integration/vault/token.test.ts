import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '@cardwright/protocol';
import { CompactEncrypt, importJWK } from 'jose';
import pkcs11 from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManagedProvider } from '../../../services/vault/dist/provider.js';
import { fileProvider } from '../../../services/vault/dist/providers/file-provider.js';
import { openTokenProvider } from '../../../services/vault/dist/providers/open.file.js';
import { newBundle } from '../../../services/vault/dist/testing/provider.js';
import { PIN, type SoftToken, softToken } from '../../../services/vault/dist/testing/soft-token.js';
import { testDatabase } from '../../support/database.ts';
import { runVault, vaultFiles } from './vault-process.ts';

// One token for the file: SoftHSM reads its configuration once a process.
let token: SoftToken;
let inToken: ManagedProvider;
let inFile: ManagedProvider;
const bundle = newBundle([1, 2]);

const hex = (of: Secret) => of.use((bytes) => Buffer.from(bytes).toString('hex'));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { kind: string; code: string }) => `${error.kind} ${error.code}`,
  );

beforeAll(async () => {
  token = softToken();
  process.env.SOFTHSM2_CONF = token.configuration;
  inFile = await fileProvider(bundle);
  inToken = await openTokenProvider(token);
  for (const [version, key] of bundle.keks) await inToken.addKek(version, key);
  for (const [version, key] of bundle.masters) await inToken.addMaster(version, key);
  await inToken.addImportKey(bundle.importKey);
});
afterAll(async () => {
  await inToken?.close();
  token?.remove();
});

describe('a token and a file with the same keys', () => {
  const data = randomBytes(40);

  it('open what the other wrapped', async () => {
    for (const version of [1, 2]) {
      const [key, associated] = [Secret.take(randomBytes(32)), randomBytes(90)];
      for (const [from, to] of [
        [inToken, inFile],
        [inFile, inToken],
      ] as const) {
        const wrapped = await from.wrapWith(version, key, associated);
        expect(hex(await to.unwrap({ kekVersion: version, wrapped }, associated))).toBe(hex(key));
      }
    }
  });

  it('derive the same, of any length', async () => {
    for (const length of [1, 16, 31, 32, 33, 64, 100]) {
      expect(hex(await inToken.derive(1, data, length))).toBe(hex(await inFile.derive(1, data, length)));
    }
  });

  it('have the same import key, and open the same seals', async () => {
    expect(inToken.importPublicKey).toEqual(inFile.importPublicKey);
    const key = await importJWK({ ...inFile.importPublicKey }, 'ECDH-ES+A256KW');
    for (let round = 0; round < 20; round++) {
      const text = randomBytes(24).toString('hex');
      const jwe = await new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({
          ...{ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', cardSerial: 'CW-1', kid: inFile.importPublicKey.kid },
        })
        .encrypt(key);
      for (const provider of [inToken, inFile]) {
        const opened = await provider.openImport(jwe);
        expect(opened.text.use((bytes) => Buffer.from(bytes).toString())).toBe(text);
        expect(opened.cardSerial).toBe('CW-1');
        const parts = jwe.split('.');
        parts[3] = `${parts[3]?.startsWith('A') ? 'B' : 'A'}${parts[3]?.slice(1)}`;
        expect(await codeOf(provider.openImport(parts.join('.')))).toBe('unprocessable administrator-key-seal-invalid');
        expect(await codeOf(provider.openImport(text))).toBe('unprocessable administrator-key-not-sealed');
      }
    }
  });

  it('refuse a point that is not on the curve', async () => {
    const header = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: inToken.importPublicKey.kid };
    const point = { kty: 'EC', crv: 'P-256', x: randomBytes(32).toString('base64url'), y: 'AAAA' };
    const encoded = Buffer.from(JSON.stringify({ ...header, epk: point })).toString('base64url');
    for (const provider of [inToken, inFile]) {
      expect(await codeOf(provider.openImport(`${encoded}.AAAA.AAAA.AAAA.AAAA`))).toBe(
        'unprocessable administrator-key-seal-invalid',
      );
    }
  });

  it('refuse altered, shortened and moved blobs, and other versions', async () => {
    const associated = Buffer.from('card 1');
    for (const provider of [inToken, inFile]) {
      const wrapped = await provider.wrapWith(2, Secret.take(randomBytes(32)), associated);
      const refused = async (blob: Uint8Array, data: Uint8Array, kekVersion = 2) =>
        expect(await codeOf(provider.unwrap({ kekVersion, wrapped: blob }, data))).toBe('internal vault-blob-invalid');
      for (let at = 0; at < wrapped.length; at += 7) {
        const altered = Uint8Array.from(wrapped);
        altered[at] = (altered[at] ?? 0) ^ 1;
        await refused(altered, associated);
        await refused(wrapped.subarray(0, at), associated);
      }
      await refused(wrapped, Buffer.from('card 2'));
      await refused(wrapped, associated, 1);
    }
    expect(await codeOf(inToken.derive(9, associated, 32))).toBe('internal vault-blob-invalid');
  });
});

describe('a token', () => {
  it('gives no key out', () => {
    const library = new pkcs11.PKCS11();
    library.load(token.module);
    const [slot] = library.C_GetSlotList(true);
    if (slot === undefined) throw new Error('the token is there');
    const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
    library.C_FindObjectsInit(session, [{ type: pkcs11.CKA_PRIVATE, value: true }]);
    const found = library.C_FindObjects(session, 100);
    library.C_FindObjectsFinal(session);
    expect(found.length).toBe(4);
    for (const object of found) {
      expect(() => library.C_GetAttributeValue(session, object, [{ type: pkcs11.CKA_VALUE }])).toThrow(/SENSITIVE/);
      const make = () => library.C_SetAttributeValue(session, object, [{ type: pkcs11.CKA_EXTRACTABLE, value: true }]);
      expect(make).toThrow();
    }
  });

  it('makes keys of its own, keeps what it has, and destroys what it is told to', async () => {
    await inToken.addKek(7);
    const key = Secret.take(randomBytes(32));
    const wrapped = await inToken.wrapWith(7, key, Buffer.alloc(0));
    await inToken.addKek(7, Secret.take(randomBytes(32)));
    const blob = { kekVersion: 7, wrapped };
    expect(hex(await inToken.unwrap(blob, Buffer.alloc(0)))).toBe(hex(key));
    expect(inToken.kekVersions).toEqual([1, 2, 7]);
    const other = await openTokenProvider(token);
    await inToken.destroyKek(7);
    expect(inToken.kekVersions).toEqual([1, 2]);
    // Read before it was destroyed, asked after: the row is to be read again.
    expect(await codeOf(other.unwrap(blob, Buffer.alloc(0)))).toBe('unavailable vault-key-encryption-key-changed');
    await other.close();
  });

  it('with a key that could be had out is refused', async () => {
    const library = new pkcs11.PKCS11();
    library.load(token.module);
    const [slot] = library.C_GetSlotList(true);
    if (slot === undefined) throw new Error('the token is there');
    const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
    const planted = library.C_CreateObject(session, [
      { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
      { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
      { type: pkcs11.CKA_LABEL, value: 'cardwright kek' },
      { type: pkcs11.CKA_ID, value: Buffer.from([0, 0, 0, 9]) },
      { type: pkcs11.CKA_TOKEN, value: true },
      { type: pkcs11.CKA_SENSITIVE, value: false },
      { type: pkcs11.CKA_EXTRACTABLE, value: true },
      { type: pkcs11.CKA_VALUE, value: randomBytes(32) },
    ]);
    try {
      expect(await codeOf(openTokenProvider(token))).toBe('unprocessable vault-token-key-extractable');
    } finally {
      library.C_DestroyObject(session, planted);
    }
  });

  it('that is taken out is said to be away, and works again when it is back', async () => {
    token.unplug();
    expect(await codeOf(openTokenProvider(token))).toBe('unavailable vault-token-away');
    // The library was started anew to look for it: the session of before is gone too.
    expect(await codeOf(inToken.wrapWith(1, Secret.take(randomBytes(32)), Buffer.alloc(0)))).toBe(
      'unavailable vault-token-away',
    );
    token.plug();
    const wrapped = await inToken.wrapWith(1, Secret.take(randomBytes(32)), Buffer.alloc(0));
    expect(wrapped.length).toBe(60);
  });

  it('whose PIN is wrong or too short keeps a vault from starting, which tries it once and says so', async () => {
    // A process of its own: the library knows a process as signed in, whichever thread did it.
    const database = await testDatabase();
    const files = vaultFiles();
    try {
      const pinFile = join(files.directory, 'pin');
      for (const wrong of ['000000', '1']) {
        writeFileSync(pinFile, wrong, { mode: 0o600 });
        const env = { ...token.env, VAULT_PROVIDER: 'pkcs11', VAULT_PKCS11_PIN_FILE: pinFile };
        const { status, output } = await runVault(files, database.urls.vault, { env });
        expect(status).toBe(1);
        expect(output).toContain('"code":"vault-token-pin-wrong"');
      }
    } finally {
      files.remove();
      await database.drop();
    }
  }, 30_000);

  it('of another label, or without its PIN, is refused', async () => {
    expect(await codeOf(openTokenProvider({ ...token, tokenLabel: 'nobody' }))).toBe('unavailable vault-token-away');
    expect(await codeOf(openTokenProvider({ ...token, module: '/nowhere.so' }))).toBe('internal vault-token-failed');
    const pin = (text: string, mode = 0o600) => {
      writeFileSync(token.pinFile, text);
      chmodSync(token.pinFile, mode);
    };
    expect(await codeOf(openTokenProvider({ ...token, pinFile: '/nowhere' }))).toBe(
      'unprocessable vault-token-pin-missing',
    );
    pin(`${PIN}\n`, 0o622);
    expect(await codeOf(openTokenProvider(token))).toBe('unprocessable vault-token-pin-missing');
    for (const wrong of ['', '\n', 'x'.repeat(256)]) {
      pin(wrong);
      expect(await codeOf(openTokenProvider(token))).toBe('unprocessable vault-token-pin-missing');
    }
    pin(`${PIN}\n`);
  });
});
