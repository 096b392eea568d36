import { randomBytes, randomUUID } from 'node:crypto';
import type { VaultClient } from '@cardwright/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { behindTheGuards, type KeyedCard, NV, query, tpmCard } from './keyed-card.ts';
import { softParent } from './soft-parent.ts';
import {
  caller,
  codeOf,
  runVault,
  startVault,
  type VaultFiles,
  type VaultProcess,
  vaultFiles,
} from './vault-process.ts';

/** Whoever owns the database: the guards are off, and every row says what the attacker likes. */
let database: TestDatabase;
let files: VaultFiles;
let vault: VaultProcess;
let client: VaultClient;

beforeAll(async () => {
  database = await testDatabase();
  files = vaultFiles();
  vault = await startVault(files, database.urls.vault);
  client = vault.client;
});
afterAll(async () => {
  await vault?.stop();
  files?.remove();
  await database?.drop();
});

const KEYS = 'vault.administrator_keys';
const INVALID = 'internal vault-blob-invalid';
const hex = (bytes: Uint8Array) => `'\\x${Buffer.from(bytes).toString('hex')}'`;
const attack = (...statements: string[]) => behindTheGuards(database, ...statements);
const propose = ({ cardId, parent }: KeyedCard, strategy: 'random-stored' | 'deterministic' = 'random-stored') =>
  client.proposeSuccessor({ ...caller, cardId, strategy, parentPublic: parent.public });
const confirm = (cardId: string, keyVersion: number) => client.confirmChange({ ...caller, cardId, keyVersion });
const reset = (cardId: string, keyVersion: number, nvIndex = NV) =>
  client.resetTpmCard({
    ...{ ...caller, cardId, keyVersion, nvIndex },
    ...{ resetNonce: Buffer.alloc(16, 1), writeNonce: Buffer.alloc(16, 2) },
  });

/** What somebody is told of that card. */
async function alertsOf(of: string): Promise<string[]> {
  const alerts = await client.alerts({ after: '0', limit: 500 });
  return alerts.filter(({ cardId }) => cardId === of).map(({ code, operation }) => `${code} ${operation}`);
}

/** A card whose second key is confirmed. */
async function changedCard(): Promise<KeyedCard> {
  const card = await tpmCard(client);
  await propose(card);
  await confirm(card.cardId, 2);
  return card;
}

describe('a successor whose row was turned', () => {
  const other = hex(Buffer.from(`000b${'77'.repeat(32)}`, 'hex'));
  it.each([
    ['to another founding key', `founding_name = ${other}`],
    ['to another index', `founding_nv_index = ${NV + 1}`],
    ['to another predecessor', 'predecessor = NULL, generation = NULL, founding_name = NULL, founding_nv_index = NULL'],
    ['to another generation', 'generation = 2'],
    ['to another parent', `parent_name = ${other}`],
    ['to more tries', 'pin_limit = 100'],
    ['to another Name', `tpm_name = ${other}`],
  ])('%s does not open, for an answer or for another change', async (_, change) => {
    const card = await changedCard();
    await attack(`UPDATE ${KEYS} SET ${change} WHERE card_id = '${card.cardId}' AND key_version = 2`);
    const index = change.includes('nv_index =') && !change.includes('NULL') ? NV + 1 : NV;
    // Without its founding index it is not even found to be of this card.
    expect(await codeOf(reset(card.cardId, 2, index))).toMatch(/vault-blob-invalid|nv-index-not-of-this-card/);
    expect(await codeOf(propose(card))).toMatch(/vault-blob-invalid|tpm-parent-of-another-device/);
    expect((await client.describeKeys({ ...caller, cardId: card.cardId })).length).toBe(2);
  });

  it('to that of another card does not open', async () => {
    const [one, two] = [await changedCard(), await changedCard()];
    const facts = 'tpm_name, parent_name, founding_name, sealed';
    await attack(
      `UPDATE ${KEYS} a SET (${facts}) = (SELECT ${facts} FROM ${KEYS} b WHERE b.card_id = '${two.cardId}' AND
        b.key_version = 2) WHERE a.card_id = '${one.cardId}' AND a.key_version = 2`,
    );
    expect(await codeOf(reset(one.cardId, 2))).toBe(INVALID);
  });

  it('and is proposed is not confirmed, so nothing is destroyed for it', async () => {
    const card = await tpmCard(client);
    await propose(card);
    await attack(`UPDATE ${KEYS} SET pin_limit = 100 WHERE card_id = '${card.cardId}' AND key_version = 2`);
    expect(await codeOf(confirm(card.cardId, 2))).toBe(INVALID);
    await reset(card.cardId, 1);
  });
});

describe('a founding key whose row was turned', () => {
  it("to an attacker's parent gives him no approval", async () => {
    const [card, its] = [await tpmCard(client), softParent()];
    const probe = await client.makeKeyForTpm({
      ...{ ...caller, cardId: randomUUID(), strategy: 'random-stored', parentPublic: its.public, pinLimit: 5 },
    });
    const name = `(SELECT parent_name FROM ${KEYS} WHERE tpm_name = ${hex(probe.name)})`;
    await attack(`UPDATE ${KEYS} SET parent_name = ${name} WHERE card_id = '${card.cardId}'`);
    expect(await codeOf(propose({ ...card, parent: its }))).toBe(INVALID);
  });

  it('to another index has no successor, which would be bound to it for ever', async () => {
    const card = await tpmCard(client);
    await attack(`UPDATE ${KEYS} SET first_write_nv_index = ${NV + 1} WHERE card_id = '${card.cardId}'`);
    expect(await codeOf(propose(card))).toBe(INVALID);
  });
});

describe('a destroyed key', () => {
  it('whose old row is put back, and made the confirmed one, answers nothing, and somebody is told', async () => {
    const card = await tpmCard(client);
    await query(database.ownerUrl, `CREATE TABLE kept AS SELECT * FROM ${KEYS} WHERE card_id = '${card.cardId}'`);
    await propose(card);
    await confirm(card.cardId, 2);
    await attack(`DELETE FROM ${KEYS} WHERE card_id = '${card.cardId}'`, `INSERT INTO ${KEYS} SELECT * FROM kept`);
    await query(database.ownerUrl, 'DROP TABLE kept');
    expect(await codeOf(reset(card.cardId, 1))).toBe(INVALID);
    expect(await codeOf(propose(card))).toBe(INVALID);
    expect(await alertsOf(card.cardId)).toContain('vault-blob-invalid tpm.reset');
  });

  it('is not brought back by the role of the vault, which may not delete, supersede or turn a row either', async () => {
    const card = await tpmCard(client);
    await propose(card);
    const refused = async (statement: string) =>
      expect(
        query(database.urls.vault, `${statement} AND card_id = '${card.cardId}'`),
        statement,
      ).rejects.toMatchObject({ code: '23001' });
    const end = "state = 'superseded', superseded_at = now(), sealed = NULL, kek_version = NULL";
    await refused(`UPDATE ${KEYS} SET ${end} WHERE key_version = 1`);
    await refused(`UPDATE ${KEYS} SET ${end} WHERE key_version = 2`);
    await refused(`UPDATE ${KEYS} SET state = 'proposed', confirmed_at = NULL WHERE key_version = 1`);
    for (const column of [
      'predecessor = NULL',
      'generation = 2',
      'founding_nv_index = 1',
      'founding_name = tpm_name',
    ]) {
      await refused(`UPDATE ${KEYS} SET ${column} WHERE key_version = 2`);
    }
    await confirm(card.cardId, 2);
    await refused(`UPDATE ${KEYS} SET state = 'confirmed', superseded_at = NULL, sealed = decode(repeat('00', 64), 'hex'),
      kek_version = 1 WHERE key_version = 1`);
    await refused(`UPDATE ${KEYS} SET confirmed_at = now() WHERE key_version = 1`);
    await refused(`UPDATE ${KEYS} SET state = 'proposed', confirmed_at = NULL WHERE key_version = 2`);
    await refused(`DELETE FROM ${KEYS} WHERE key_version = 1`);
  });

  it('does not come back by a row that follows it, or that begins as superseded', async () => {
    const card = await changedCard();
    const columns = `algorithm, strategy, kek_version, sealed, tpm_name, pin_limit, parent_name, founding_name, generation,
      founding_nv_index`;
    const insert = (state: string, predecessor: number, more = '') =>
      query(
        database.urls.vault,
        `INSERT INTO ${KEYS} (card_id, key_version, state, predecessor, ${columns} ${more && ', confirmed_at'})
          SELECT card_id, 9, '${state}', ${predecessor}, ${columns} ${more}
          FROM ${KEYS} WHERE card_id = $1 AND key_version = 2`,
        [card.cardId],
      );
    await expect(insert('proposed', 1)).rejects.toMatchObject({ code: '23001' });
    await expect(insert('confirmed', 2, ', now()')).rejects.toMatchObject({ code: '23001' });
    await expect(insert('superseded', 2)).rejects.toMatchObject({ code: '23001' });
  });
});

describe('a second first write', () => {
  const CLEARED = 'first_write_nonce = NULL, first_write_nv_index = NULL, first_write_at = NULL';
  const ALREADY = 'conflict first-write-already-signed';
  async function proposed(): Promise<string> {
    const cardId = randomUUID();
    const parentPublic = softParent().public;
    await client.makeKeyForTpm({ ...caller, cardId, strategy: 'deterministic', parentPublic, pinLimit: 5 });
    return cardId;
  }
  const firstWrite = (cardId: string, nonce: Uint8Array = randomBytes(16), nvIndex = NV, by = client) =>
    by.signFirstWrite({ ...caller, cardId, keyVersion: 1, nvIndex, nonce });
  const cleared = (cardId: string) => `UPDATE ${KEYS} SET ${CLEARED} WHERE card_id = '${cardId}'`;

  it('is not signed although an older row of the proposed key was put back: the record has the first', async () => {
    const cardId = await proposed();
    const nonce = randomBytes(16);
    await firstWrite(cardId, nonce);
    await attack(cleared(cardId));
    expect(await codeOf(firstWrite(cardId))).toBe(INVALID);
    expect(await codeOf(firstWrite(cardId, nonce))).toBe(INVALID);
    expect(await alertsOf(cardId)).toContain('vault-blob-invalid tpm.first-write');
    // Nor when the row is turned to the session that the attacker wants.
    const [wanted, index] = [randomBytes(16), NV + 1];
    const turned = (to: Uint8Array, nv: number) =>
      `UPDATE ${KEYS} SET first_write_nonce = ${hex(to)}, first_write_nv_index = ${nv}, first_write_at = now()
        WHERE card_id = '${cardId}'`;
    await attack(turned(wanted, NV));
    expect(await codeOf(firstWrite(cardId, wanted))).toBe(INVALID);
    await attack(turned(nonce, index));
    expect(await codeOf(firstWrite(cardId, nonce, index))).toBe(INVALID);
    await attack(turned(nonce, NV));
    await firstWrite(cardId, nonce);
    expect(await codeOf(firstWrite(cardId))).toBe(ALREADY);
    expect(await codeOf(firstWrite(cardId, nonce, index))).toBe(ALREADY);
  });

  it('is not signed for a key that was confirmed, and whose row was made a proposed one again', async () => {
    const cardId = await proposed();
    await firstWrite(cardId);
    await client.confirmKey({ ...caller, cardId, keyVersion: 1 });
    await attack(`UPDATE ${KEYS} SET state = 'proposed', confirmed_at = NULL, ${CLEARED} WHERE card_id = '${cardId}'`);
    expect(await codeOf(firstWrite(cardId))).toBe(INVALID);
  });

  it('is signed for one session of forty, asked of two vaults at once, while the row is put back all the time', async () => {
    const cardId = await proposed();
    const second = await startVault(files, database.urls.vault, { socket: 'second.sock' });
    let asking = true;
    try {
      await query(database.ownerUrl, `ALTER TABLE ${KEYS} DISABLE TRIGGER USER`);
      const turning = (async () => {
        while (asking) await query(database.ownerUrl, cleared(cardId));
      })();
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          codeOf(firstWrite(cardId, randomBytes(16), NV, n % 2 ? client : second.client)),
        ),
      );
      asking = false;
      await turning;
      expect(outcomes.filter((outcome) => outcome === 'no error')).toHaveLength(1);
      expect(outcomes.filter((outcome) => [ALREADY, INVALID].includes(outcome))).toHaveLength(39);
    } finally {
      asking = false;
      await query(database.ownerUrl, `ALTER TABLE ${KEYS} ENABLE TRIGGER USER`);
      await second.stop();
    }
  });

  it('is not had by making the same deterministic version again, after its row was deleted', async () => {
    const cardId = await proposed();
    await firstWrite(cardId);
    await attack(`DELETE FROM ${KEYS} WHERE card_id = '${cardId}'`);
    const parentPublic = softParent().public;
    const made = await client.makeKeyForTpm({
      ...{ ...caller, cardId, strategy: 'deterministic', parentPublic, pinLimit: 5 },
    });
    expect(made.keyVersion).toBe(2);
  });

  it('is not signed for a key that was made too long ago, or of whose making the record knows nothing', async () => {
    const cardId = await proposed();
    const { keyHistory, MAX_ENTRIES_SINCE_MADE } = await import(
      '../../../services/vault/dist/record/key-history.pg.js'
    );
    const { connectDatabase } = await import('../../../services/vault/dist/pool.pg.js');
    const reader = connectDatabase(database.urls.vault, () => undefined);
    try {
      const history = await keyHistory(reader, cardId, 1);
      const [{ id, hash } = {}] = await query(
        database.ownerUrl,
        'SELECT id, hash FROM vault.uses ORDER BY id DESC LIMIT 1',
      );
      const head = { sequence: BigInt(id as string), hash: hash as Buffer };
      const far = { sequence: head.sequence + BigInt(MAX_ENTRIES_SINCE_MADE), hash: head.hash };
      expect(await codeOf(history.readTo(far))).toBe('conflict first-write-unproven');
      await history.readTo(head);
      expect(await codeOf(history.readTo({ ...head, sequence: head.sequence + 1n }))).toBe(
        'internal vault-record-altered',
      );
      const fresh = await keyHistory(reader, cardId, 1);
      expect(await codeOf(fresh.readTo({ ...head, hash: Buffer.alloc(32) }))).toBe('internal vault-record-altered');
      expect(await codeOf(keyHistory(reader, cardId, 2))).toBe('conflict first-write-unproven');
    } finally {
      await reader.close();
    }
  });

  it.each([
    ['taken out of', "DELETE FROM vault.uses WHERE operation = 'tpm.first-write' AND card_id = '$1'"],
    ['turned in', "UPDATE vault.uses SET outcome = 'refused' WHERE operation = 'tpm.first-write' AND card_id = '$1'"],
    [
      'made that of another card in',
      "UPDATE vault.uses SET card_id = gen_random_uuid() WHERE operation = 'tpm.first-write' AND card_id = '$1'",
    ],
  ])('is not signed although the first was %s the record: its chain does not fit', async (_, statement) => {
    const cardId = await proposed();
    await firstWrite(cardId);
    await client.describeKeys({ ...caller, cardId });
    await attack(cleared(cardId), `CREATE TABLE kept AS SELECT * FROM vault.uses`, statement.replace('$1', cardId));
    expect(await codeOf(firstWrite(cardId))).toBe('internal vault-record-altered');
    expect(await alertsOf(cardId)).toContain('vault-record-altered tpm.first-write');
    const was = "WHERE k.operation = 'tpm.first-write'";
    await attack(
      `DELETE FROM vault.uses u USING kept k ${was} AND u.id = k.id`,
      `INSERT INTO vault.uses SELECT * FROM kept k ${was}`,
    );
    await query(database.ownerUrl, 'DROP TABLE kept');
    expect(await codeOf(firstWrite(cardId))).toBe(INVALID);
  });

  it('is not signed for a key from before a restored database was acknowledged', async () => {
    const cardId = await proposed();
    const backup = await query(database.ownerUrl, 'SELECT max(id) AS last FROM vault.uses');
    await firstWrite(cardId);
    await vault.stop();
    // The database of before the first write, as a restored backup has it.
    const last = String(backup[0]?.last);
    await attack(
      cleared(cardId),
      `DELETE FROM vault.uses WHERE id > ${last}`,
      `DELETE FROM vault.record_signatures WHERE through > ${last}`,
    );
    const args = ['acknowledge-record', '--by', 'the operator', '--reason', 'restored from the backup of yesterday'];
    expect((await runVault(files, database.urls.vault, { args })).status).toBe(0);
    vault = await startVault(files, database.urls.vault);
    client = vault.client;
    expect(await codeOf(firstWrite(cardId))).toBe('conflict first-write-unproven');
    const parentPublic = softParent().public;
    const again = { ...caller, cardId, strategy: 'deterministic', parentPublic, pinLimit: 5 } as const;
    const { keyVersion } = await client.makeKeyForTpm(again);
    await client.signFirstWrite({ ...caller, cardId, keyVersion, nvIndex: NV, nonce: randomBytes(16) });
  });
});
