import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import type { ImportableAlgorithm, VaultClient } from '@cardwright/vault';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { caller, codeOf, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
let client: VaultClient;

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault, { env: { VAULT_LIMIT_PER_CARD: '1000' } });
  client = vault.client;
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

const SERIAL = 'CW-7K3M-92QF';
const BYTES = { tdes: 24, 'aes-128': 16, 'aes-192': 24, 'aes-256': 32 } as const;

async function importKey(cardId: string, key: string, algorithm: ImportableAlgorithm = 'tdes', cardSerial = SERIAL) {
  const jwe = await sealed(await client.importKey(), key, cardSerial);
  return client.importAdministratorKey({ ...caller, cardId, cardSerial: SERIAL, algorithm, jwe });
}

async function uses(cardId: string): Promise<Record<string, unknown>[]> {
  const reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
  try {
    return (await reader.query('SELECT * FROM vault.uses WHERE card_id = $1 ORDER BY id', [cardId])).rows;
  } finally {
    await reader.end();
  }
}

describe('an imported key', () => {
  it('answers as the published sample of Microsoft (MIM REST) does', async () => {
    const cardId = randomUUID();
    expect(await importKey(cardId, '0'.repeat(48))).toMatchObject({ keyVersion: 1 });
    const challenge = Buffer.from('D61143F9CCFFD2CA', 'hex');
    const { response } = await client.answerChallenge({ ...caller, cardId, keyVersion: 1, challenge, mode: 'ecb' });
    expect(Buffer.from(response).toString('hex').toUpperCase()).toBe('17466E766E303CB6');
  });

  it.each(['tdes', 'aes-128', 'aes-192', 'aes-256'] as const)(
    'for %s answers as openssl enc does',
    async (algorithm) => {
      const cardId = randomUUID();
      const key = randomBytes(BYTES[algorithm]);
      const challenge = randomBytes(algorithm === 'tdes' ? 16 : 32);
      await importKey(cardId, key.toString('hex'), algorithm);
      for (const mode of ['ecb', 'cbc'] as const) {
        const cipher = algorithm === 'tdes' ? `des-ede3${mode === 'cbc' ? '-cbc' : ''}` : `${algorithm}-${mode}`;
        const iv = mode === 'cbc' ? ['-iv', '0'.repeat(algorithm === 'tdes' ? 16 : 32)] : [];
        const args = ['enc', `-${cipher}`, '-K', key.toString('hex'), ...iv, '-nopad'];
        const expected = execFileSync('openssl', args, { input: challenge, stdio: ['pipe', 'pipe', 'ignore'] });
        const { response } = await client.answerChallenge({ ...caller, cardId, keyVersion: 1, challenge, mode });
        expect(Buffer.from(response).toString('hex')).toBe(expected.toString('hex'));
      }
    },
  );

  it('is described by all but itself', async () => {
    const cardId = randomUUID();
    const { kcv } = await importKey(cardId, '0'.repeat(48));
    expect(await client.describeKeys({ ...caller, cardId })).toEqual([
      {
        keyVersion: 1,
        algorithm: 'tdes',
        strategy: 'random-stored',
        state: 'confirmed',
        kcv,
        createdAt: expect.stringMatching(/^20\d\d-.*Z$/),
        pinLimit: null,
      },
    ]);
    expect(await client.describeKeys({ ...caller, cardId: randomUUID() })).toEqual([]);
  });

  it('sent again after a lost reply is the same; another one for the card is refused', async () => {
    const cardId = randomUUID();
    const key = randomBytes(24).toString('hex');
    const first = await importKey(cardId, key);
    expect(await importKey(cardId, key)).toEqual(first);
    expect(await codeOf(importKey(cardId, randomBytes(24).toString('hex')))).toBe(
      'conflict administrator-key-confirmed',
    );
    expect(await client.describeKeys({ ...caller, cardId })).toHaveLength(1);
  });

  it('sent many times at once is stored once', async () => {
    const cardId = randomUUID();
    const key = randomBytes(24).toString('hex');
    const answers = await Promise.all(Array.from({ length: 20 }, () => importKey(cardId, key)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await client.describeKeys({ ...caller, cardId })).toHaveLength(1);
  });
});

describe('an import is refused, and nothing is stored,', () => {
  const DEFAULT = '010203040506070801020304050607080102030405060708';
  const cases: [string, string, () => Promise<unknown>][] = [];
  const cardId = randomUUID();
  const send = async (jwe: string) =>
    client.importAdministratorKey({ ...caller, cardId, cardSerial: SERIAL, algorithm: 'tdes', jwe });
  const sealedWith = async (header: Record<string, unknown>) =>
    send(await sealed(await client.importKey(), 'ab'.repeat(24), SERIAL, header));

  cases.push(['odd-length', "with the vendor's 47 digits", () => importKey(cardId, DEFAULT.slice(1))]);
  cases.push(['length', 'with 32 digits for TDES', () => importKey(cardId, 'ab'.repeat(16))]);
  cases.push(['not-hex', 'with a letter that is no digit', () => importKey(cardId, `x${'ab'.repeat(24).slice(1)}`)]);
  cases.push(['default', 'with the well-known default', () => importKey(cardId, DEFAULT)]);
  cases.push(['not-sealed', 'in clear', () => send('ab'.repeat(24))]);
  cases.push(['not-sealed', 'in clear with dots', () => send('ab.ab.ab.ab')]);
  cases.push([
    'sealed-for-another-card',
    'with a serial of another card',
    () => importKey(cardId, 'ab'.repeat(24), 'tdes', 'CW-0000-0000'),
  ]);
  cases.push([
    'sealed-for-another-card',
    'without a serial',
    async () => send(await sealed(await client.importKey(), 'ab'.repeat(24), undefined)),
  ]);
  cases.push(['sealed-for-another-vault', 'for another kid', () => sealedWith({ kid: 'other' })]);
  cases.push(['seal-invalid', 'with other algorithms', () => sealedWith({ alg: 'ECDH-ES' })]);
  cases.push(['seal-invalid', 'with an unknown header', () => sealedWith({ b64: true })]);
  cases.push([
    'seal-invalid',
    'altered on its way',
    async () => {
      const jwe = await sealed(await client.importKey(), 'ab'.repeat(24), SERIAL);
      const parts = jwe.split('.');
      parts[3] = (parts[3]?.startsWith('A') ? 'B' : 'A') + parts[3]?.slice(1);
      return send(parts.join('.'));
    },
  ]);

  it.each(cases)('administrator-key-%s: %s', async (code, _, work) => {
    expect(await codeOf(work())).toBe(`unprocessable administrator-key-${code}`);
    expect(await client.describeKeys({ ...caller, cardId })).toEqual([]);
    const recorded = (await uses(cardId)).filter((use) => use.operation === 'key.import').at(-1);
    expect(recorded?.outcome).toBe(`administrator-key-${code}`);
  });
});

describe('an answer is refused', () => {
  it('for a card or a version that the vault does not know', async () => {
    const ask = (cardId: string, keyVersion: number) =>
      client.answerChallenge({ ...caller, cardId, keyVersion, challenge: randomBytes(8), mode: 'ecb' });
    const cardId = randomUUID();
    await importKey(cardId, randomBytes(24).toString('hex'));
    expect(await codeOf(ask(randomUUID(), 1))).toBe('not-found administrator-key-unknown');
    expect(await codeOf(ask(cardId, 2))).toBe('not-found administrator-key-unknown');
  });

  it.each([0, 7, 12, 72])('to a challenge of %i bytes: challenge-length', async (length) => {
    const cardId = randomUUID();
    await importKey(cardId, randomBytes(24).toString('hex'));
    const challenge = randomBytes(length);
    expect(await codeOf(client.answerChallenge({ ...caller, cardId, keyVersion: 1, challenge, mode: 'ecb' }))).toBe(
      'unprocessable challenge-length',
    );
  });
});

describe('the record of uses', () => {
  it('has every answer, with who asked and the digest of the challenge, before it is given', async () => {
    const cardId = randomUUID();
    await importKey(cardId, randomBytes(24).toString('hex'));
    const challenges = Array.from({ length: 200 }, () => randomBytes(8));
    await Promise.all(
      challenges.map((challenge, at) =>
        client.answerChallenge({
          requestedBy: `op-${at}`,
          requestId: `r-${at}`,
          cardId,
          keyVersion: 1,
          challenge,
          mode: 'ecb',
        }),
      ),
    );
    const recorded = (await uses(cardId)).filter((use) => use.operation === 'answer');
    expect(recorded).toHaveLength(200);
    const digest = (bytes: Buffer) => execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: bytes });
    const third = recorded.find((use) => use.request_id === 'r-3');
    expect(third).toMatchObject({ requested_by: 'op-3', outcome: 'done', key_version: 1 });
    expect(digest(challenges[3] as Buffer).equals(third?.challenge_sha256 as Buffer)).toBe(true);
  });

  it.each(['UPDATE vault.uses SET outcome = outcome', 'DELETE FROM vault.uses', 'TRUNCATE vault.uses'])(
    'refuses its owner: %s',
    async (statement) => {
      const owner = new pg.Client({ connectionString: database.ownerUrl });
      await owner.connect();
      try {
        await expect(owner.query(statement)).rejects.toMatchObject({ code: '23001' });
      } finally {
        await owner.end();
      }
    },
  );
});
