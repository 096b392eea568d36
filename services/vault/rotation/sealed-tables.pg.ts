import type { SecretFacts } from '../key-record.ts';
import { LINEAGE_COLUMNS, toLineage } from '../lineage.pg.ts';
import type { Database } from '../pool.pg.ts';
import type { SealedFacts } from '../sealing.ts';
import { secretSealFacts } from '../secret-seal.ts';
import type { SealedTable } from './ports.ts';

type Row = Record<string, unknown>;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

interface TableShape {
  readonly name: string;
  /** SQL of its uuid, and of the number that makes the key complete. */
  readonly id: readonly [uuid: string, number: string];
  readonly columns: string;
  readonly facts: (row: Row) => SealedFacts;
}

const ADMINISTRATOR_KEYS: TableShape = {
  name: 'administrator_keys',
  id: ['card_id', 'key_version'],
  columns: `algorithm, strategy, master_version, kcv, tpm_name, pin_limit, ${LINEAGE_COLUMNS.join(', ')}`,
  facts: (row) => ({
    cardId: row.id as string,
    keyVersion: row.number as number,
    algorithm: row.algorithm as string,
    strategy: row.strategy as string,
    masterVersion: row.master_version as number | null,
    kcv: row.kcv as string | null,
    tpmName: row.tpm_name as Buffer | null,
    pinLimit: row.pin_limit as number | null,
    ...toLineage(row),
  }),
};

const SECRETS: TableShape = {
  name: 'secrets',
  id: ['id', '1'],
  columns: 'kind, name, card_id, algorithm, kcv',
  facts: (row) =>
    secretSealFacts({
      id: row.id as string,
      kind: row.kind as SecretFacts['kind'],
      name: row.name as string,
      cardId: row.card_id as string | null,
      algorithm: row.algorithm as SecretFacts['algorithm'],
      kcv: row.kcv as string | null,
    }),
};

/** All tables with something sealed. vault.kek_in_use knows the same ones. */
export function sealedTables(database: Pick<Database, 'query'>): readonly SealedTable[] {
  return [ADMINISTRATOR_KEYS, SECRETS].map((shape) => sealedTable(database, shape));
}

function sealedTable(database: Pick<Database, 'query'>, { name, id, columns, facts }: TableShape): SealedTable {
  const [uuid, number] = id;
  const table = `vault.${name}`;
  const statement = (verb: string, text: string) => ({ name: `vault-${verb}-${name}`, text });
  const count = statement('count-sealed', `SELECT count(*)::int AS count FROM ${table} WHERE kek_version = $1`);
  const next = statement(
    'next-sealed',
    `SELECT ${uuid} AS id, ${number} AS number, kek_version, sealed, ${columns} FROM ${table}
      WHERE kek_version = $1 AND (${uuid}, ${number}) > ($2::uuid, $3::int)
      ORDER BY ${uuid}, ${number} LIMIT $4`,
  );
  const replace = statement(
    'rewrap',
    `UPDATE ${table} AS t SET kek_version = n.kek_version, sealed = n.sealed
      FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::bytea[])
        AS n (id, number, old_version, kek_version, sealed)
      WHERE t.${uuid} = n.id AND ${number === '1' ? '1' : `t.${number}`} = n.number AND t.kek_version = n.old_version`,
  );
  return {
    name,
    async count(kekVersion) {
      return (await database.query(count, [kekVersion])).rows[0]?.count as number;
    },
    async next(kekVersion, after, limit) {
      const { rows } = await database.query(next, [kekVersion, ...(after ?? [FIRST_ID, 0]), limit]);
      return rows.map((row) => ({
        id: [row.id as string, row.number as number],
        facts: facts(row),
        blob: { kekVersion: row.kek_version as number, sealed: row.sealed as Buffer },
      }));
    },
    async replace(rows) {
      await database.query(replace, [
        rows.map(({ row }) => row.id[0]),
        rows.map(({ row }) => row.id[1]),
        rows.map(({ row }) => row.blob.kekVersion),
        rows.map(({ blob }) => blob.kekVersion),
        rows.map(({ blob }) => Buffer.from(blob.sealed)),
      ]);
    },
  };
}

const DERIVED = {
  name: 'vault-derived-keys',
  text: `SELECT master_version AS version, count(*)::int AS count FROM vault.administrator_keys
      WHERE master_version IS NOT NULL AND state <> 'superseded' GROUP BY master_version
    UNION ALL
    SELECT key_version, 0 FROM vault.record_signatures GROUP BY key_version`,
};

/**
 * The master secrets that something depends on, and how many keys of cards each has: zero for one that only signed the
 * vault's record, whose signatures could not be checked without it.
 */
export async function mastersInUse(database: Pick<Database, 'query'>): Promise<ReadonlyMap<number, number>> {
  const used = new Map<number, number>();
  for (const { version, count } of (await database.query(DERIVED, [])).rows as { version: number; count: number }[]) {
    used.set(version, (used.get(version) ?? 0) + count);
  }
  return used;
}
