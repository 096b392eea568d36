import { createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import { lockoutResetMessage, parsePublicArea, parseStoragePublic } from '@cardwright/protocol/tpm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { softParent } from './soft-parent.ts';
import { caller, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault);
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

const parent = softParent();
const nameOf = (of: typeof parent) => parseStoragePublic(of.public).name;

/** What a device of this storage key is given: its lockout's password in clear, as its TPM would give it. */
async function protection(deviceId: string, of = parent) {
  const { authority, ...wrapped } = await vault.client.protectLockout({ ...caller, deviceId, parentPublic: of.public });
  const { key } = of.unwrap({ keyVersion: 1, ...wrapped });
  return { authority: Buffer.from(authority).toString('hex'), password: Buffer.from(key).toString('hex') };
}

describe('the lockout of a device', () => {
  it('has one secret for each device and storage key, also after a restart', async () => {
    const deviceId = randomUUID();
    const first = await protection(deviceId);
    expect(first.password).toMatch(/^[0-9a-f]{64}$/);
    expect(await protection(deviceId)).toEqual(first);
    await vault.stop();
    vault = await startVault(files, database.urls.vault);
    expect(await protection(deviceId)).toEqual(first);
    for (const other of [await protection(randomUUID()), await protection(deviceId, softParent())]) {
      expect(other.authority).not.toBe(first.authority);
      expect(other.password).not.toBe(first.password);
    }
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const { rows } = await owner.query(
      `SELECT outcome FROM vault.uses WHERE operation = 'lockout.protect' AND card_id = $1`,
      [deviceId],
    );
    await owner.end();
    expect(rows.map(({ outcome }: { outcome: string }) => outcome)).toEqual(Array(4).fill('done'));
  });

  it('is made once, however many ask at once', async () => {
    const deviceId = randomUUID();
    const all = await Promise.all(Array.from({ length: 8 }, () => protection(deviceId)));
    expect(new Set(all.map(({ password }) => password)).size).toBe(1);
  });

  it('is reset by a signature over its nonce, by the key that was given, and under limits', async () => {
    const deviceId = randomUUID();
    const asked = { ...caller, deviceId, parentName: nameOf(parent), nonce: new Uint8Array(randomBytes(16)) };
    const unprotected = vault.client.resetLockout(asked);
    await expect(unprotected).rejects.toMatchObject({ kind: 'not-found', code: 'lockout-not-protected' });
    const { authority } = await protection(deviceId);
    const area = parsePublicArea(new Uint8Array(Buffer.from(authority, 'hex')));
    if (area.kind !== 'ecc') throw new Error(area.kind);
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: text(area.x), y: text(area.y) } });
    const { signature } = await vault.client.resetLockout(asked);
    const checked = verify('sha256', lockoutResetMessage(asked.nonce), { key, dsaEncoding: 'ieee-p1363' }, signature);
    expect(checked).toBe(true);
    const another = { ...asked, parentName: nameOf(softParent()) };
    await expect(vault.client.resetLockout(another)).rejects.toMatchObject({ code: 'lockout-not-protected' });
    const more = Array.from({ length: 20 }, () => vault.client.resetLockout(asked).catch((error) => error.code));
    expect(await Promise.all(more)).toContain('vault-limit-reached');
  });

  it('takes no key for a storage key that is none', async () => {
    const parentPublic = Uint8Array.from([0, 4, 0, 1, 0, 11]);
    const refused = vault.client.protectLockout({ ...caller, deviceId: randomUUID(), parentPublic });
    await expect(refused).rejects.toMatchObject({ kind: 'unprocessable' });
  });
});
