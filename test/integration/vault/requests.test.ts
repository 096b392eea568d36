import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { caller, codeOf, startVault, type VaultFiles, type VaultProcess, vaultFiles } from './vault-process.ts';

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

const cardId = randomUUID();
const nonce = Buffer.alloc(16).toString('base64url');
const at = { ...caller, cardId, keyVersion: 1 };
const OPERATIONS: Record<string, Record<string, unknown>> = {
  health: {},
  'import-key': {},
  'key.import': { ...caller, cardId, cardSerial: 'CW-1', algorithm: 'tdes', jwe: 'x' },
  'key.make-for-tpm': { ...caller, cardId, strategy: 'random-stored', parentPublic: 'AAAA', pinLimit: 5 },
  'tpm.first-write': { ...at, nvIndex: 0x01800001, nonce },
  'key.confirm': at,
  'key.propose-successor': { ...caller, cardId, strategy: 'random-stored', parentPublic: 'AAAA' },
  'key.propose-replacement': { ...caller, cardId, strategy: 'random-stored', parentPublic: 'AAAA' },
  'key.confirm-change': at,
  'tpm.reset': { ...at, nvIndex: 0x01800001, resetNonce: nonce, writeNonce: nonce },
  answer: { ...at, challenge: 'AAAAAAAAAAA', mode: 'ecb' },
  'key.describe': { ...caller, cardId },
  'lockout.protect': { ...caller, deviceId: cardId, parentPublic: 'AAAA' },
  'lockout.reset': { ...caller, deviceId: cardId, parentName: Buffer.alloc(34).toString('base64url'), nonce },
};

describe.each(Object.entries(OPERATIONS))('%s', (op, good) => {
  it('refuses a field it does not know', async () => {
    expect(await codeOf(vault.link.call(op, { ...good, more: 1 }))).toBe('invalid field-unknown');
  });

  it('refuses what is no object', async () => {
    for (const value of [null, [], 'x', 1]) {
      expect(await codeOf(vault.link.call(op, value))).toBe('invalid field-invalid');
    }
  });

  it('takes the fields as they should be', async () => {
    expect(await codeOf(vault.link.call(op, good))).not.toMatch(/^invalid/);
  });

  it.each(Object.keys(good))('refuses a missing or wrong %s', async (field) => {
    // An empty challenge is of the right form; it is refused as challenge-length once the card's algorithm is known.
    const empty = field === 'challenge' ? [] : [''];
    for (const value of [...empty, undefined, null, {}, [], -1, 1e9, 'x'.repeat(5000), 'a\nb', 'Ä\0']) {
      expect(await codeOf(vault.link.call(op, { ...good, [field]: value }))).toBe('invalid field-invalid');
    }
  });
});

it.each([
  ['key.import', 'takeOver', [null, 'yes', 1, {}]],
  ['key.import', 'puk', [null, 'x', [], {}, { cardSerial: 'CW-1' }, { cardSerial: 'CW-1', jwe: '' }]],
  ['key.propose-replacement', 'algorithm', [null, 'hmac-sha256', 'des', 1]],
])('%s refuses a wrong %s, which may be absent', async (op, field, wrong) => {
  const good = OPERATIONS[op] ?? {};
  expect(await codeOf(vault.link.call(op, good))).not.toMatch(/^invalid/);
  for (const value of wrong) {
    expect(await codeOf(vault.link.call(op, { ...good, [field]: value }))).toBe('invalid field-invalid');
  }
});

it.each([
  ['key.propose-successor', 'random-not-stored', 'uniform'],
  ['key.propose-replacement', 'deterministic', 'random-not-stored'],
])('%s has the strategy %s, and not %s', async (op, right, wrong) => {
  const good = OPERATIONS[op] ?? {};
  expect(await codeOf(vault.link.call(op, { ...good, strategy: right }))).not.toMatch(/^invalid/);
  expect(await codeOf(vault.link.call(op, { ...good, strategy: wrong }))).toBe('invalid field-invalid');
});

it('there is no operation that gives a key away, and none but these', async () => {
  for (const op of ['key.read', 'key.export', 'key.wrap', 'key.derive', 'key', 'constructor', '__proto__']) {
    expect(await codeOf(vault.link.call(op, at))).toBe('invalid link-operation-unknown');
  }
});
