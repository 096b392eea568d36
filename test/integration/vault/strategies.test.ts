import { createCipheriv, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { KeyOrigin, VaultClient } from '@cardwright/vault';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { softParent } from './soft-parent.ts';
import { caller, codeOf, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
let client: VaultClient;

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault, { env: { VAULT_UNIFORM_KEYS: 'allowed' } });
  client = vault.client;
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

async function owner(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
  try {
    return (await reader.query(sql, values)).rows;
  } finally {
    await reader.end();
  }
}

type Kind = 'uniform-key' | 'an10922-master' | 'dogtag-master';
async function named(kind: Kind, name: string, hex: string, algorithm: 'tdes' | 'aes-128' | 'aes-256', header = {}) {
  const jwe = await sealed(await client.importKey(), hex, name, { typ: kind, ...header });
  return client.importNamedKey({ ...caller, name, kind, algorithm, jwe });
}

const adopt = (cardId: string, algorithm: 'tdes' | 'aes-128' | 'aes-256', origin: KeyOrigin, kcv?: string) =>
  client.adoptAdministratorKey({ ...caller, cardId, algorithm, origin, ...(kcv === undefined ? {} : { kcv }) });

const answer = async (cardId: string, challenge: Uint8Array) =>
  Buffer.from((await client.answerChallenge({ ...caller, cardId, keyVersion: 1, challenge, mode: 'ecb' })).response);

function encrypted(cipher: string, key: Uint8Array, challenge: Uint8Array): Buffer {
  const with0 = createCipheriv(cipher, key, null).setAutoPadding(false);
  return Buffer.concat([with0.update(challenge), with0.final()]);
}

describe('a uniform key', () => {
  it('answers for every card that has it, and is told apart from another of its name', async () => {
    const key = randomBytes(24).toString('hex');
    const made = await named('uniform-key', 'old-fleet', key, 'tdes');
    expect(made).toMatchObject({ name: 'old-fleet', kind: 'uniform-key', algorithm: 'tdes' });
    expect(await named('uniform-key', 'old-fleet', key, 'tdes')).toEqual(made);
    expect(await codeOf(named('uniform-key', 'old-fleet', randomBytes(24).toString('hex'), 'tdes'))).toBe(
      'conflict named-key-exists',
    );
    const challenge = randomBytes(8);
    for (const cardId of [randomUUID(), randomUUID()]) {
      expect(await adopt(cardId, 'tdes', { strategy: 'uniform', keyName: 'old-fleet' })).toEqual({
        keyVersion: 1,
        kcv: made.kcv,
      });
      expect(await answer(cardId, challenge)).toEqual(encrypted('des-ede3', Buffer.from(key, 'hex'), challenge));
      expect(await client.describeKeys({ ...caller, cardId })).toMatchObject([{ strategy: 'uniform' }]);
    }
  });

  it('is not taken in nor given to a card unless the vault is configured for it; what has one is still answered', async () => {
    const cardId = randomUUID();
    const origin = { strategy: 'uniform', keyName: 'kept-fleet' } as const;
    await named('uniform-key', 'kept-fleet', randomBytes(16).toString('hex'), 'aes-128');
    await adopt(cardId, 'aes-128', origin);
    const strict = await startVault(files, database.urls.vault, { socket: 'strict.sock' });
    try {
      const jwe = await sealed(await client.importKey(), randomBytes(16).toString('hex'), 'new-fleet', {
        typ: 'uniform-key',
      });
      const make = { ...caller, name: 'new-fleet', kind: 'uniform-key', algorithm: 'aes-128', jwe } as const;
      const off = 'unprocessable uniform-keys-not-allowed';
      expect(await codeOf(strict.client.importNamedKey(make))).toBe(off);
      const other = { ...caller, cardId: randomUUID(), algorithm: 'aes-128', origin } as const;
      expect(await codeOf(strict.client.adoptAdministratorKey(other))).toBe(off);
      const challenge = randomBytes(16);
      const asked = { ...caller, cardId, keyVersion: 1, challenge, mode: 'ecb' } as const;
      expect((await strict.client.answerChallenge(asked)).response).toHaveLength(16);
    } finally {
      await strict.stop();
    }
  });

  it('that is the well-known default key is refused', async () => {
    expect(await codeOf(named('uniform-key', 'default', '0102030405060708'.repeat(3), 'tdes'))).toBe(
      'unprocessable administrator-key-default',
    );
  });
});

describe("the key of another fleet's card", () => {
  const DIVERSIFIER = Buffer.from('04782E21801D803042F54E585020416275', 'hex');

  it('by AN10922 is the one of its published vector', async () => {
    await named('an10922-master', 'nxp', '00112233445566778899AABBCCDDEEFF', 'aes-128');
    const cardId = randomUUID();
    const origin = {
      strategy: 'deterministic',
      derivation: 'an10922',
      keyName: 'nxp',
      diversifier: DIVERSIFIER,
    } as const;
    await adopt(cardId, 'aes-128', origin);
    await adopt(cardId, 'aes-128', origin);
    const challenge = randomBytes(16);
    const key = Buffer.from('A8DD63A3B89D54B37CA802473FDA9175', 'hex');
    expect(await answer(cardId, challenge)).toEqual(encrypted('aes-128-ecb', key, challenge));
    const another = { ...origin, diversifier: randomBytes(7) };
    expect(await codeOf(adopt(cardId, 'aes-128', another))).toBe('conflict administrator-key-confirmed');
  });

  it("by Dogtag's form of SP 800-108 is the HMAC over its CUID", async () => {
    const [master, cuid] = [randomBytes(32), randomBytes(10)];
    await named('dogtag-master', 'tks', master.toString('hex'), 'tdes');
    const cardId = randomUUID();
    const origin = { strategy: 'deterministic', derivation: 'dogtag', keyName: 'tks', diversifier: cuid } as const;
    await adopt(cardId, 'tdes', origin);
    const input = Buffer.concat([Buffer.from([1, 4, 0]), cuid, Buffer.from([1, 0x80])]);
    const key = createHmac('sha256', master).update(input).digest().subarray(0, 24);
    const challenge = randomBytes(16);
    expect(await answer(cardId, challenge)).toEqual(encrypted('des-ede3', key, challenge));
  });

  it('is refused with another check value, an unknown master and another algorithm', async () => {
    await named('an10922-master', 'nxp-2', randomBytes(16).toString('hex'), 'aes-128');
    const origin = { strategy: 'deterministic', derivation: 'an10922', diversifier: DIVERSIFIER } as const;
    const id = randomUUID();
    expect(await codeOf(adopt(id, 'aes-128', { ...origin, keyName: 'nxp-2' }, 'ABCDEF'))).toBe(
      'unprocessable key-check-value',
    );
    expect(await codeOf(adopt(id, 'aes-128', { ...origin, keyName: 'nobody' }))).toBe(
      'unprocessable named-key-unknown',
    );
    expect(await codeOf(adopt(id, 'aes-256', { ...origin, keyName: 'nxp-2' }))).toBe(
      'unprocessable administrator-key-algorithm',
    );
    expect(await codeOf(named('an10922-master', 'nxp-3', randomBytes(16).toString('hex'), 'tdes'))).toBe(
      'unprocessable administrator-key-length',
    );
    expect(await client.describeKeys({ ...caller, cardId: id })).toEqual([]);
  });

  it('turned to another secret, or with another diversifier, by who may write the rows: does not open', async () => {
    const cardId = randomUUID();
    await named('an10922-master', 'target', randomBytes(16).toString('hex'), 'aes-128');
    const origin = {
      strategy: 'deterministic',
      derivation: 'an10922',
      keyName: 'target',
      diversifier: DIVERSIFIER,
    } as const;
    await adopt(cardId, 'aes-128', origin);
    await owner('ALTER TABLE vault.administrator_keys DISABLE TRIGGER USER');
    await owner('UPDATE vault.administrator_keys SET diversifier = $2 WHERE card_id = $1', [cardId, randomBytes(7)]);
    expect(await codeOf(answer(cardId, randomBytes(16)))).toBe('internal vault-blob-invalid');
    await owner(
      `UPDATE vault.administrator_keys SET diversifier = $2,
        source_id = (SELECT id FROM vault.secrets WHERE name = 'nxp') WHERE card_id = $1`,
      [cardId, DIVERSIFIER],
    );
    expect(await codeOf(answer(cardId, randomBytes(16)))).toBe('internal vault-blob-invalid');
    await owner('ALTER TABLE vault.administrator_keys ENABLE TRIGGER USER');
  });
});

describe('a key that is not stored', () => {
  const NV = 0x01800000;
  const nonce = Buffer.alloc(16, 7);
  const make = (cardId: string) =>
    client.makeKeyForTpm({
      ...caller,
      cardId,
      strategy: 'random-not-stored',
      parentPublic: softParent().public,
      pinLimit: 5,
    });
  const firstWrite = (cardId: string, keyVersion: number) =>
    client.signFirstWrite({ ...caller, cardId, keyVersion, nvIndex: NV, nonce });
  const kept = async (cardId: string) =>
    (await owner('SELECT 1 FROM vault.secrets WHERE card_id = $1', [cardId])).length;

  it('signs its first write, again after a lost reply and a kill -9, and is dropped when the card is confirmed', async () => {
    const cardId = randomUUID();
    await make(cardId);
    await make(cardId);
    const first = await firstWrite(cardId, 2);
    await vault.kill();
    vault = await startVault(files, database.urls.vault, { env: { VAULT_UNIFORM_KEYS: 'allowed' } });
    client = vault.client;
    expect(await firstWrite(cardId, 2)).toEqual(first);
    expect(await kept(cardId)).toBe(2);

    await client.confirmKey({ ...caller, cardId, keyVersion: 2 });
    expect(await kept(cardId)).toBe(0);
    await client.confirmKey({ ...caller, cardId, keyVersion: 2 });
    const reset = { ...caller, cardId, keyVersion: 2, nvIndex: NV, resetNonce: nonce, writeNonce: nonce };
    expect(await codeOf(client.resetTpmCard(reset))).toBe('conflict administrator-key-not-stored');
    expect(await codeOf(firstWrite(cardId, 2))).toBe('conflict administrator-key-confirmed');
  });
});
