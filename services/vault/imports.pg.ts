import type { Database } from './pool.pg.ts';
import { isUniqueViolation } from './pool.pg.ts';
import type { ImportStore, PreparedKey, PreparedPuk, Use } from './ports.ts';
import type { VaultRecord } from './record/record.pg.ts';
import { type ChangeStatement, callWithUse, withUse } from './uses.pg.ts';

const FIND = { name: 'vault-find-import', text: 'SELECT content_sha256 FROM vault.import_batches WHERE id = $1' };

const TAKEN = {
  name: 'vault-import-taken',
  text: 'SELECT DISTINCT card_id FROM vault.administrator_keys WHERE card_id = ANY ($1::uuid[])',
};

const KNOWN = {
  name: 'vault-import-known',
  text: 'SELECT DISTINCT fingerprint FROM vault.administrator_keys WHERE fingerprint = ANY ($1::bytea[])',
};

// withUse: $1 to $7 are the use. The function inserts the keys: one statement, so all or none.
const ADD = withUse(
  'vault-add-import',
  `INSERT INTO vault.import_batches (id, content_sha256, keys)
    SELECT $8::uuid, $9::bytea, vault.add_imported($10::jsonb, $11::jsonb)`,
);

// The same function: a key and its PUK, or neither.
const ADD_WITH_PUK = callWithUse('vault-add-key-with-puk', 'vault.add_imported($8::jsonb, $9::jsonb) = 1');

export function importStore(database: Database, record: Pick<VaultRecord, 'change'>): ImportStore {
  async function changed(statement: ChangeStatement, use: Use, values: readonly unknown[]): Promise<boolean> {
    try {
      return await record.change(statement, use, values);
    } catch (error) {
      if (isUniqueViolation(error)) return false;
      throw error;
    }
  }
  const rows = (keys: readonly PreparedKey[], puks: readonly PreparedPuk[]) => [
    JSON.stringify(keys.map(keyRow)),
    JSON.stringify(puks.map(pukRow)),
  ];

  return {
    async findBatch(id) {
      return (await database.query(FIND, [id])).rows[0]?.content_sha256 as Buffer | undefined;
    },
    async cardsWithKeys(cardIds) {
      return new Set((await database.query(TAKEN, [cardIds])).rows.map((row) => row.card_id as string));
    },
    async knownFingerprints(prints) {
      const { rows } = await database.query(KNOWN, [prints.map((print) => Buffer.from(print))]);
      return new Set(rows.map((row) => (row.fingerprint as Buffer).toString('hex')));
    },
    addBatch: ({ id, digest }, keys, puks, use) => changed(ADD, use, [id, Buffer.from(digest), ...rows(keys, puks)]),
    addWithPuk: (key, puk, use) => changed(ADD_WITH_PUK, use, rows([key], [puk])),
  };
}

const hex = (bytes: Uint8Array | null | undefined) => (bytes == null ? null : Buffer.from(bytes).toString('hex'));

function keyRow({ facts, blob, source, fingerprint }: PreparedKey) {
  return {
    card_id: facts.cardId,
    algorithm: facts.algorithm,
    strategy: facts.strategy,
    kek_version: blob.kekVersion,
    sealed: hex(blob.sealed),
    kcv: facts.kcv,
    source_id: source?.secretId ?? null,
    derivation: source?.derivation ?? null,
    diversifier: hex(source?.diversifier),
    fingerprint: hex(fingerprint),
  };
}

function pukRow({ facts, blob }: PreparedPuk) {
  return { id: facts.id, card_id: facts.cardId, kek_version: blob.kekVersion, sealed: hex(blob.sealed) };
}
