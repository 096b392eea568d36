import { randomBytes, randomUUID } from 'node:crypto';
import { pinIndex } from '@cardwright/protocol/tpm';
import type { VaultClient } from '@cardwright/vault';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { type OwnVault, ownVault } from './own-vault.ts';
import { hmac, policySigned, sha256, softParent, writeCpHash } from './soft-parent.ts';
import { caller, codeOf, startVault } from './vault-process.ts';

let client: OwnVault['client'];
let database: OwnVault['database'];
let files: OwnVault['files'];
beforeAll(async () => {
  const own = await ownVault();
  ({ client, database, files } = own);
  return () => own.end();
});

const NV = 0x01800042;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

async function make(
  cardId: string,
  strategy: Parameters<typeof client.makeKeyForTpm>[0]['strategy'] = 'random-stored',
  parent = softParent(),
) {
  const made = await client.makeKeyForTpm({ ...caller, cardId, strategy, parentPublic: parent.public, pinLimit: 5 });
  return { made, ...parent.unwrap(made) };
}

const firstWrite = (cardId: string, keyVersion: number, nonce: Uint8Array = randomBytes(16), nvIndex = NV) =>
  client.signFirstWrite({ ...caller, cardId, keyVersion, nvIndex, nonce });
const confirm = (cardId: string, keyVersion: number) => client.confirmKey({ ...caller, cardId, keyVersion });
const reset = (cardId: string, keyVersion: number, nvIndex = NV) =>
  client.resetTpmCard({
    ...caller,
    cardId,
    keyVersion,
    nvIndex,
    resetNonce: Buffer.alloc(16, 1),
    writeNonce: Buffer.alloc(16, 2),
  });

describe.each(['random-stored', 'deterministic'] as const)('a %s key for a TPM card', (strategy) => {
  it('is wrapped so that its parent opens it, and its Name hides it', async () => {
    const { made, key, seedValue } = await make(randomUUID(), strategy);
    expect(key).toHaveLength(32);
    const area = Buffer.from(made.public).subarray(2);
    expect(hex(made.name)).toBe(`000b${sha256(area).toString('hex')}`);
    expect(area.subarray(-32).equals(sha256(seedValue, key))).toBe(true);
    // adminWithPolicy, noDA and sign only, and an empty policy: on the device it can answer nothing.
    expect(area.subarray(0, 10).toString('hex')).toBe('0008000b000404800000');
  });

  it('signs the first write for the unwritten index, the self change, and resets for the written one', async () => {
    const cardId = randomUUID();
    const { made, key } = await make(cardId, strategy);
    const nonce = randomBytes(16);
    const index = pinIndex({ nvIndex: NV, administratorKeyName: made.name });

    const first = await firstWrite(cardId, 1, nonce);
    expect(hex(first.answer)).toBe(policySigned(key, nonce, writeCpHash(index.definedName, 5), 'card:write'));
    expect(first.expirationSeconds).toBe(900);
    const approved = Buffer.from(first.selfChange.approvedPolicy);
    expect(hex(first.selfChange.signature)).toBe(hmac(key, sha256(approved, Buffer.from('card:self'))).toString('hex'));

    await confirm(cardId, 1);
    const answers = await reset(cardId, 1);
    expect(hex(answers.resetAnswer)).toBe(policySigned(key, Buffer.alloc(16, 1), Buffer.alloc(0), 'card:reset'));
    expect(hex(answers.writeAnswer)).toBe(
      policySigned(key, Buffer.alloc(16, 2), writeCpHash(index.writtenName, 5), 'card:write'),
    );
  });

  it('is another one for each version and card', async () => {
    const cardId = randomUUID();
    const keys = [await make(cardId, strategy), await make(cardId, strategy), await make(randomUUID(), strategy)];
    expect(keys.map(({ made }) => made.keyVersion)).toEqual([1, 2, 1]);
    expect(new Set(keys.map(({ key }) => hex(key))).size).toBe(3);
  });

  it('once confirmed is never wrapped again: a hostile cms that names a parent of its own gets nothing', async () => {
    const cardId = randomUUID();
    await make(cardId, strategy);
    await firstWrite(cardId, 1);
    await confirm(cardId, 1);
    for (const other of ['random-stored', 'deterministic'] as const) {
      expect(await codeOf(make(cardId, other))).toBe('conflict administrator-key-confirmed');
    }
  });
});

describe('keys for TPM cards', () => {
  it('made at the same moment are different versions with different keys', async () => {
    const cardId = randomUUID();
    const made = await Promise.all(Array.from({ length: 12 }, () => make(cardId)));
    expect(made.map((one) => one.made.keyVersion).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, n) => n + 1),
    );
    expect(new Set(made.map(({ key }) => hex(key))).size).toBe(12);
  });

  it('are wrapped to nothing but a storage key', async () => {
    const signing = Uint8Array.from(softParent().public);
    signing[6] = 0x00;
    signing[7] = 0x05; // sign instead of restricted decrypt
    const wrap = (parentPublic: Uint8Array) =>
      client.makeKeyForTpm({ ...caller, cardId: randomUUID(), strategy: 'random-stored', parentPublic, pinLimit: 5 });
    expect(await codeOf(wrap(signing))).toBe('unprocessable tpm-parent-not-allowed');
    expect(await codeOf(wrap(randomBytes(80)))).toMatch(/tpm-(structure-malformed|parent-not-allowed)$/);
  });

  it('are confirmed once, only after their first write, and only one of a card', async () => {
    const cardId = randomUUID();
    await make(cardId);
    await make(cardId);
    expect(await codeOf(confirm(cardId, 1))).toBe('conflict first-write-not-signed');
    expect(await codeOf(confirm(cardId, 3))).toBe('not-found administrator-key-unknown');
    await firstWrite(cardId, 1);
    await firstWrite(cardId, 2);
    await confirm(cardId, 2);
    await confirm(cardId, 2);
    expect(await codeOf(confirm(cardId, 1))).toBe('conflict administrator-key-confirmed');
    const states = (await client.describeKeys({ ...caller, cardId })).map(({ state, pinLimit }) => [state, pinLimit]);
    expect(states).toEqual([
      ['proposed', 5],
      ['confirmed', 5],
    ]);
  });

  it('reset nothing before they are confirmed, nor at another index, nor by encrypting', async () => {
    const cardId = randomUUID();
    await make(cardId);
    await firstWrite(cardId, 1);
    expect(await codeOf(reset(cardId, 1))).toBe('conflict administrator-key-not-confirmed');
    await confirm(cardId, 1);
    expect(await codeOf(reset(cardId, 1, NV + 1))).toBe('unprocessable nv-index-not-of-this-card');
    expect(await codeOf(reset(cardId, 2))).toBe('not-found administrator-key-unknown');
    const encrypt = { ...caller, cardId, keyVersion: 1, challenge: randomBytes(16), mode: 'ecb' } as const;
    expect(await codeOf(client.answerChallenge(encrypt))).toBe('unprocessable administrator-key-algorithm');
  });
});

describe('the first write', () => {
  it('is signed for one of 50 callers that come at once with nonces of their own', async () => {
    const cardId = randomUUID();
    await make(cardId);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => codeOf(firstWrite(cardId, 1))));
    expect(outcomes.filter((outcome) => outcome === 'no error')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'conflict first-write-already-signed')).toHaveLength(49);
  });

  it('is given again for the same nonce, also 50 times at once, and for no other index', async () => {
    const cardId = randomUUID();
    await make(cardId);
    const nonce = randomBytes(16);
    const answers = await Promise.all(Array.from({ length: 50 }, () => firstWrite(cardId, 1, nonce)));
    expect(new Set(answers.map(({ answer }) => hex(answer))).size).toBe(1);
    expect(await codeOf(firstWrite(cardId, 1, nonce, NV + 1))).toBe('conflict first-write-already-signed');
    expect(await codeOf(firstWrite(cardId, 1))).toBe('conflict first-write-already-signed');
  });

  it('is not signed for an unknown version, nor after any version of the card is confirmed', async () => {
    const cardId = randomUUID();
    await make(cardId);
    await make(cardId);
    expect(await codeOf(firstWrite(cardId, 3))).toBe('not-found administrator-key-unknown');
    const nonce = randomBytes(16);
    await firstWrite(cardId, 1, nonce);
    await confirm(cardId, 1);
    expect(await codeOf(firstWrite(cardId, 1, nonce))).toBe('conflict administrator-key-confirmed');
    expect(await codeOf(firstWrite(cardId, 2))).toBe('conflict administrator-key-confirmed');
  });

  it('is signed once although two vaults serve the same database', async () => {
    const second = await startVault(files, database.urls.vault, { socket: 'second.sock' });
    try {
      const cardId = randomUUID();
      await make(cardId);
      const ask = (by: VaultClient) =>
        codeOf(by.signFirstWrite({ ...caller, cardId, keyVersion: 1, nvIndex: NV, nonce: randomBytes(16) }));
      const outcomes = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(n % 2 ? client : second.client)));
      expect(outcomes.filter((outcome) => outcome === 'no error')).toHaveLength(1);
    } finally {
      await second.stop();
    }
  });

  it('is signed for one nonce only, whenever the vault is killed with -9', async () => {
    let process = await startVault(files, database.urls.vault, { socket: 'killed.sock' });
    for (let round = 0; round < 6; round++) {
      const cardId = randomUUID();
      await make(cardId);
      const nonces = Array.from({ length: 20 }, () => randomBytes(16));
      const answered = new Set<string>();
      const ask = (by: VaultClient) =>
        nonces.map((nonce) =>
          by.signFirstWrite({ ...caller, cardId, keyVersion: 1, nvIndex: NV, nonce }).then(
            () => void answered.add(hex(nonce)),
            () => {},
          ),
        );
      const asking = ask(process.client);
      if (round % 3 > 0) await Promise.any(round % 3 === 1 ? asking : [process.client.health()]);
      await process.kill();
      await Promise.all(asking);
      process = await startVault(files, database.urls.vault, { socket: 'killed.sock' });
      await Promise.all(ask(process.client));
      expect(answered.size).toBe(1);
    }
    await process.stop();
  });
});

describe('who holds the database', () => {
  async function asOwner(...statements: [string, unknown[]][]): Promise<void> {
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    try {
      for (const [text, values] of statements) await owner.query(text, values);
    } finally {
      await owner.end();
    }
  }
  const withoutTriggers = (...statements: [string, unknown[]][]) =>
    asOwner(['ALTER TABLE vault.administrator_keys DISABLE TRIGGER ALL', []], ...statements, [
      'ALTER TABLE vault.administrator_keys ENABLE TRIGGER ALL',
      [],
    ]);

  it.each([
    'UPDATE vault.administrator_keys SET first_write_nonce = NULL, first_write_nv_index = NULL, first_write_at = NULL',
    'UPDATE vault.administrator_keys SET pin_limit = 100',
    "UPDATE vault.administrator_keys SET sealed = '\\x00'::bytea || sealed",
    'DELETE FROM vault.administrator_keys',
  ])('as the vault itself may not: %s', async (statement) => {
    const cardId = randomUUID();
    await make(cardId);
    await firstWrite(cardId, 1);
    const role = new pg.Client({ connectionString: database.urls.vault });
    await role.connect();
    try {
      await expect(role.query(`${statement} WHERE card_id = $1`, [cardId])).rejects.toMatchObject({ code: '23001' });
    } finally {
      await role.end();
    }
  });

  it('may switch the guards off and raise a PIN limit or move a blob: then the key does not open, and it is recorded', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    for (const cardId of [one, two]) {
      await make(cardId);
      await firstWrite(cardId, 1);
      await confirm(cardId, 1);
    }
    await withoutTriggers(
      ['UPDATE vault.administrator_keys SET pin_limit = 100 WHERE card_id = $1', [one]],
      [
        `UPDATE vault.administrator_keys SET sealed = (SELECT sealed FROM vault.administrator_keys WHERE card_id = $1)
          WHERE card_id = $2`,
        [one, two],
      ],
    );
    expect(await codeOf(reset(one, 1))).toBe('internal vault-blob-invalid');
    expect(await codeOf(reset(two, 1))).toBe('internal vault-blob-invalid');
    const reader = new pg.Client({ connectionString: database.ownerUrl });
    await reader.connect();
    const { rows } = await reader.query(
      "SELECT outcome FROM vault.uses WHERE card_id = ANY($1) AND operation = 'tpm.reset'",
      [[one, two]],
    );
    await reader.end();
    expect(rows).toEqual([{ outcome: 'vault-blob-invalid' }, { outcome: 'vault-blob-invalid' }]);
  });
});
