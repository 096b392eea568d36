import type { SecretKind, SecretRecord } from './key-record.ts';
import type { ImportableAlgorithm } from './operations.ts';
import { type Database, isUniqueViolation } from './pool.pg.ts';
import type { SecretStore } from './ports.ts';
import type { VaultRecord } from './record/record.pg.ts';
import { withUse } from './uses.pg.ts';

const COLUMNS =
  's.id, s.kind, s.name, s.card_id, s.algorithm, s.kcv, s.kek_version, s.sealed, s.created_at, s.shown_at';

const FIND = { name: 'vault-find-secret', text: `SELECT ${COLUMNS} FROM vault.secrets s WHERE s.id = $1` };

const FIND_NAMED = {
  name: 'vault-find-named-secret',
  text: `SELECT ${COLUMNS} FROM vault.secrets s WHERE s.kind = $1 AND s.name = $2`,
};

const LIST = {
  name: 'vault-list-secrets',
  text: `SELECT ${COLUMNS} FROM vault.secrets s WHERE s.kind = ANY ($1::text[]) ORDER BY s.name, s.kind LIMIT $2`,
};

// withUse: $1 to $7 are the use.
const ADD = withUse(
  'vault-add-secret',
  `INSERT INTO vault.secrets (id, kind, name, card_id, algorithm, kcv, kek_version, sealed)
    VALUES ($8::uuid, $9::text, $10::text, $11::uuid, $12::text, $13::text, $14::int, $15::bytea)`,
);

const MARK_SHOWN = withUse(
  'vault-show-secret',
  `UPDATE vault.secrets SET shown_at = clock_timestamp() WHERE id = $8::uuid AND kind = 'puk' AND shown_at IS NULL`,
);

export function secretStore(database: Database, record: Pick<VaultRecord, 'change'>): SecretStore {
  async function first(statement: typeof FIND, values: unknown[]): Promise<SecretRecord | undefined> {
    const [row] = (await database.query(statement, values)).rows;
    return row === undefined ? undefined : toSecret(row);
  }

  return {
    findSecret: (id) => first(FIND, [id]),
    findNamed: (kind, name) => first(FIND_NAMED, [kind, name]),
    async listNamed(kinds, limit) {
      return (await database.query(LIST, [kinds, limit])).rows.map(toSecret);
    },
    async addSecret(facts, blob, use) {
      const { id, kind, name, cardId, algorithm, kcv } = facts;
      const values = [id, kind, name, cardId, algorithm, kcv, blob.kekVersion, Buffer.from(blob.sealed)];
      try {
        return await record.change(ADD, use, values);
      } catch (error) {
        if (isUniqueViolation(error)) return false;
        throw error;
      }
    },
    markShown: (id, use) => record.change(MARK_SHOWN, use, [id]),
  };
}

// The CHECKs of the table vouch for the enumerations; a row altered behind them does not unseal.
export function toSecret(row: Record<string, unknown>): SecretRecord {
  return {
    id: row.id as string,
    kind: row.kind as SecretKind,
    name: row.name as string,
    cardId: row.card_id as string | null,
    algorithm: row.algorithm as ImportableAlgorithm | null,
    kcv: row.kcv as string | null,
    kekVersion: row.kek_version as number,
    sealed: row.sealed as Buffer,
    createdAt: row.created_at as Date,
    shownAt: row.shown_at as Date | null,
  };
}
