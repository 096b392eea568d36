import { Batch } from '@cardwright/link';
import { importStore } from './imports.pg.ts';
import type { KeyRecord } from './key-record.ts';
import { LINEAGE_COLUMNS, lineageValues, toLineage } from './lineage.pg.ts';
import type { Algorithm, FleetDerivation, KeyState, KeyStrategy } from './operations.ts';
import { type Database, isUniqueViolation } from './pool.pg.ts';
import type { ImportStore, KeyStore, SecretStore, Use } from './ports.ts';
import type { Head } from './record/entry.ts';
import { findFirstWrite, keyHistory } from './record/key-history.pg.ts';
import type { VaultRecord } from './record/record.pg.ts';
import { secretStore } from './secrets.pg.ts';
import { type ChangeStatement, withUse } from './uses.pg.ts';

const COLUMNS = `k.card_id, k.key_version, k.algorithm, k.strategy, k.state, k.kek_version, k.master_version, k.sealed,
  k.kcv, k.tpm_name, k.pin_limit, k.first_write_nv_index, k.first_write_nonce, k.created_at,
  k.source_id, k.derivation, k.diversifier, ${LINEAGE_COLUMNS.map((column) => `k.${column}`).join(', ')},
  EXISTS (SELECT 1 FROM vault.uses u WHERE u.card_id = k.card_id AND u.key_version > k.key_version
    AND u.operation = 'key.confirm-change' AND u.outcome = 'done') AS succeeded`;

const FIND = {
  name: 'vault-find-keys',
  text: `SELECT asked.at::int AS at, ${COLUMNS}
    FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS asked (card_id, key_version, at)
    JOIN vault.administrator_keys k ON k.card_id = asked.card_id AND k.key_version = asked.key_version`,
};

const LIST = {
  name: 'vault-list-keys',
  text: `SELECT ${COLUMNS} FROM vault.administrator_keys k WHERE k.card_id = $1 ORDER BY k.key_version`,
};

const NEWEST = {
  name: 'vault-newest-keys',
  text: `SELECT ${COLUMNS} FROM vault.administrator_keys k WHERE k.state <> 'superseded'
    ORDER BY k.created_at DESC LIMIT $1`,
};

const MADE = `('key.make-for-tpm', 'key.propose-successor', 'key.propose-replacement')`;

// A version whose row was deleted is not made again: a deterministic key would come out the same.
const LAST_VERSION = {
  name: 'vault-last-key-version',
  text: `SELECT greatest(
      (SELECT max(k.key_version) FROM vault.administrator_keys k WHERE k.card_id = $1),
      (SELECT max(u.key_version) FROM vault.uses u WHERE u.card_id = $1 AND u.outcome = 'done' AND u.operation IN ${MADE}),
      0)::int AS last`,
};

const NONE_CONFIRMED = `NOT EXISTS (
  SELECT 1 FROM vault.administrator_keys c WHERE c.card_id = $8::uuid AND c.state = 'confirmed')`;
const confirmedIs = (version: string) => `EXISTS (SELECT 1 FROM vault.administrator_keys c
  WHERE c.card_id = $8::uuid AND c.key_version = ${version} AND c.state = 'confirmed')`;

// withUse: $1 to $7 are the use.
const ADD = withUse(
  'vault-add-key',
  `INSERT INTO vault.administrator_keys (card_id, key_version, algorithm, strategy, state, kek_version, master_version,
      sealed, kcv, tpm_name, pin_limit, source_id, derivation, diversifier, fingerprint,
      ${LINEAGE_COLUMNS.join(', ')}, confirmed_at)
    SELECT $8::uuid, $9::int, $10::text, $11::text, $12::text, $13::int, $14::int, $15::bytea, $16::text, $17::bytea,
      $18::int, $19::uuid, $20::text, $21::bytea, $22::bytea,
      $23::bytea, $24::int, $25::int, $26::bytea, $27::bigint, CASE WHEN $12::text = 'confirmed' THEN clock_timestamp() END
    WHERE CASE WHEN $24::int IS NULL THEN ${NONE_CONFIRMED} ELSE ${confirmedIs('$24::int')} END`,
);

// Concurrent claims queue on the row's lock, and all but the first then find the nonce set.
const CLAIM_FIRST_WRITE = withUse(
  'vault-claim-first-write',
  `UPDATE vault.administrator_keys
    SET first_write_nv_index = $10::bigint, first_write_nonce = $11::bytea, first_write_at = clock_timestamp()
    WHERE card_id = $8::uuid AND key_version = $9::int AND state = 'proposed' AND first_write_nonce IS NULL
      AND predecessor IS NULL AND ${NONE_CONFIRMED}`,
);

const CONFIRM = withUse(
  'vault-confirm-key',
  `UPDATE vault.administrator_keys SET state = 'confirmed', confirmed_at = clock_timestamp()
    WHERE card_id = $8::uuid AND key_version = $9::int AND state = 'proposed' AND predecessor IS NULL
      AND (algorithm <> 'hmac-sha256' OR first_write_nonce IS NOT NULL)`,
);

// The table's trigger supersedes the others in the same transaction.
const CONFIRM_CHANGE = withUse(
  'vault-confirm-change',
  `UPDATE vault.administrator_keys k SET state = 'confirmed', confirmed_at = clock_timestamp()
    WHERE k.card_id = $8::uuid AND k.key_version = $9::int AND k.state = 'proposed' AND ${confirmedIs('k.predecessor')}`,
);

/** All that the vault keeps in the database but its record. */
export type Stores = KeyStore & SecretStore & ImportStore;

export function keyStore(database: Database, record: Pick<VaultRecord, 'change' | 'head'>): Stores {
  const finder = new Batch<{ cardId: string; keyVersion: number }, KeyRecord | undefined>(
    async (asked) => {
      const { rows } = await database.query(FIND, [asked.map((one) => one.cardId), asked.map((one) => one.keyVersion)]);
      const found = new Map(rows.map((row) => [row.at as number, toRecord(row)]));
      return asked.map((_, at) => found.get(at + 1));
    },
    { maxSize: 200, maxUnderWay: 2 },
  );

  async function changed(statement: ChangeStatement, use: Use, values: readonly unknown[]): Promise<boolean> {
    try {
      return await record.change(statement, use, values);
    } catch (error) {
      if (isUniqueViolation(error)) return false;
      throw error;
    }
  }

  return {
    ...secretStore(database, record),
    ...importStore(database, record),
    find: (cardId, keyVersion) => finder.ask({ cardId, keyVersion }),
    async list(cardId) {
      return (await database.query(LIST, [cardId])).rows.map(toRecord);
    },
    async lastVersion(cardId) {
      return (await database.query(LAST_VERSION, [cardId])).rows[0]?.last as number;
    },
    add: (facts, blob, state, use, more = {}) =>
      changed(ADD, use, [
        facts.cardId,
        facts.keyVersion,
        facts.algorithm,
        facts.strategy,
        state,
        blob.kekVersion,
        facts.masterVersion,
        Buffer.from(blob.sealed),
        facts.kcv,
        facts.tpmName === null ? null : Buffer.from(facts.tpmName),
        facts.pinLimit,
        more.source?.secretId ?? null,
        more.source?.derivation ?? null,
        bytesOrNull(more.source?.diversifier),
        bytesOrNull(more.fingerprint),
        ...lineageValues(facts),
      ]),
    async claimFirstWrite(cardId, keyVersion, claim, use) {
      const history = await keyHistory(database, cardId, keyVersion);
      // What is long is read before it is our turn to write: meanwhile others are answered.
      await history.readTo(record.head());
      const isFree = async (head: Head) => {
        await history.readTo(head);
        return history.firstWrites().length === 0;
      };
      const values = [cardId, keyVersion, claim.nvIndex, Buffer.from(claim.nonce)];
      const claimed = await record.change(CLAIM_FIRST_WRITE, use, values, isFree);
      return { claimed, recorded: history.firstWrites()[0] ?? null };
    },
    recordedFirstWrite: (cardId, keyVersion) => findFirstWrite(database, cardId, keyVersion),
    confirm: (cardId, keyVersion, use) => changed(CONFIRM, use, [cardId, keyVersion]),
    confirmChange: (cardId, keyVersion, use) => changed(CONFIRM_CHANGE, use, [cardId, keyVersion]),
  };
}

/** For the check at start that these are the keys of this vault. */
export async function newestKeys(database: Database, count: number): Promise<readonly KeyRecord[]> {
  return (await database.query(NEWEST, [count])).rows.map(toRecord);
}

const bytesOrNull = (bytes: Uint8Array | null | undefined) => (bytes == null ? null : Buffer.from(bytes));

// The CHECKs of the table vouch for the enumerations; a row altered behind them does not unseal.
function toRecord(row: Record<string, unknown>): KeyRecord {
  const nonce = row.first_write_nonce as Buffer | null;
  return {
    cardId: row.card_id as string,
    keyVersion: row.key_version as number,
    algorithm: row.algorithm as Algorithm,
    strategy: row.strategy as KeyStrategy,
    state: row.state as KeyState,
    kekVersion: (row.kek_version as number | null) ?? 0,
    masterVersion: row.master_version as number | null,
    sealed: (row.sealed as Buffer | null) ?? new Uint8Array(),
    succeeded: row.succeeded as boolean,
    ...toLineage(row),
    kcv: row.kcv as string | null,
    tpmName: row.tpm_name as Buffer | null,
    pinLimit: row.pin_limit as number | null,
    // int8 comes as text from the driver; an NV handle fits a number.
    firstWrite: nonce === null ? null : { nvIndex: Number(row.first_write_nv_index), nonce },
    createdAt: row.created_at as Date,
    source:
      row.source_id === null
        ? null
        : {
            secretId: row.source_id as string,
            derivation: row.derivation as FleetDerivation | null,
            diversifier: row.diversifier as Buffer | null,
          },
  };
}
