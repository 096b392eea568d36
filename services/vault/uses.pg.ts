import type { Statement } from './pool.pg.ts';
import type { Use } from './ports.ts';
import type { Entry, Head } from './record/entry.ts';

export const USE_COLUMNS = 'operation, card_id, key_version, requested_by, request_id, challenge_sha256, outcome';
const ENTRY_COLUMNS = `id, at, ${USE_COLUMNS}, hash`;

/** In the order of {@link USE_COLUMNS}. */
export function useValues(use: Use, outcome: string): unknown[] {
  return [
    use.operation,
    use.cardId,
    use.keyVersion,
    use.requestedBy,
    use.requestId,
    use.challengeDigest === null ? null : Buffer.from(use.challengeDigest),
    outcome,
  ];
}

/** What makes one or more entries a link of the chain. */
export interface Link {
  /** The end of the chain that they follow. */
  readonly before: Head;
  readonly entries: readonly ChainedEntry[];
  readonly keyVersion: number;
  /** Over the last entry. */
  readonly signature: Uint8Array;
}

export interface ChainedEntry extends Entry {
  readonly hash: Uint8Array;
  readonly alert: boolean;
}

/**
 * The number of an entry, if the record still ends where the writer believes it to end, else NULL, which `id` refuses. Two
 * writers at the same moment come to the same number, which only one of them gets. So there is one sequence without gaps,
 * whoever writes.
 */
const numbered = (id: string, before: string, hashBefore: string) =>
  `CASE WHEN coalesce((SELECT u.hash FROM vault.uses u ORDER BY u.id DESC LIMIT 1), decode(repeat('00', 32), 'hex'))
      = ${hashBefore} AND coalesce((SELECT max(u.id) FROM vault.uses u), 0) = ${before} THEN ${id} END`;

const micros = (value: string) => `timestamptz 'epoch' + ${value} * interval '1 microsecond'`;

export const APPEND: Statement = {
  name: 'vault-record-append',
  text: `WITH ok AS MATERIALIZED (SELECT ${numbered('true', '$12::bigint', '$13::bytea')} AS follows),
    appended AS (INSERT INTO vault.uses (${ENTRY_COLUMNS})
      SELECT CASE WHEN (SELECT follows FROM ok) THEN e.id END, ${micros('e.at')}, e.operation, e.card_id, e.key_version,
        e.requested_by, e.request_id, e.challenge_sha256, e.outcome, e.hash
      FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::bytea[],
        $9::text[], $10::bytea[]) AS e (id, at, ${USE_COLUMNS}, hash)),
    alerted AS (INSERT INTO vault.alerts (id, code)
      SELECT a.id, a.code FROM unnest($1::bigint[], $9::text[], $11::bool[]) AS a (id, code, wanted) WHERE a.wanted)
    INSERT INTO vault.record_signatures (through, key_version, signature)
      VALUES ($12::bigint + cardinality($1::bigint[]), $14::int, $15::bytea)`,
};

export function appendValues({ before, entries, keyVersion, signature }: Link): unknown[] {
  const rows = entries.map(({ use, outcome }) => useValues(use, outcome));
  return [
    entries.map(({ sequence }) => sequence),
    entries.map(({ atMicros }) => atMicros),
    ...Array.from({ length: 7 }, (_, column) => rows.map((row) => row[column])),
    entries.map(({ hash }) => Buffer.from(hash)),
    entries.map(({ alert }) => alert),
    before.sequence,
    Buffer.from(before.hash),
    keyVersion,
    Buffer.from(signature),
  ];
}

/** A statement that changes keys, together with the entry that says so. */
export interface ChangeStatement extends Statement {
  /** @param own the change's own parameters. */
  values(link: Link, own: readonly unknown[]): unknown[];
}

/**
 * A change with one entry, which is written when the change changes at least one row.
 * @param change INSERT, UPDATE or DELETE without RETURNING; `$1` to `$7` are the use, its own parameters begin at `$8`.
 */
export function withUse(name: string, change: string): ChangeStatement {
  return recorded(name, `${change} RETURNING 1`);
}

/**
 * The same of a change that a function makes.
 * @param call SQL of a condition that makes the change, and holds when something was changed.
 */
export function callWithUse(name: string, call: string): ChangeStatement {
  return recorded(name, `SELECT 1 WHERE ${call}`);
}

/** @param change gives a row for each that it changed. */
function recorded(name: string, change: string): ChangeStatement {
  const parameters = Math.max(7, ...[...change.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  const [id, at, hash, before, hashBefore, keyVersion, signature] = [1, 2, 3, 4, 5, 6, 7].map(
    (n) => `$${parameters + n}`,
  );
  const use = '$1::text, $2::uuid, $3::int, $4::text, $5::text, $6::bytea, $7::text';
  return {
    name,
    text: `WITH changed AS MATERIALIZED (${change}), once AS (SELECT FROM changed LIMIT 1),
      entered AS (INSERT INTO vault.uses (${ENTRY_COLUMNS})
        SELECT ${numbered(`${id}::bigint`, `${before}::bigint`, `${hashBefore}::bytea`)}, ${micros(`${at}::bigint`)}, ${use},
          ${hash}::bytea FROM once)
      INSERT INTO vault.record_signatures (through, key_version, signature)
        SELECT ${id}::bigint, ${keyVersion}::int, ${signature}::bytea FROM once`,
    values({ before, entries, keyVersion: signedBy, signature: signed }, own) {
      const [entry] = entries;
      if (entry === undefined || entries.length !== 1) throw new RangeError('this change has one entry');
      return [
        ...useValues(entry.use, entry.outcome),
        ...own,
        entry.sequence,
        entry.atMicros,
        Buffer.from(entry.hash),
        before.sequence,
        Buffer.from(before.hash),
        signedBy,
        Buffer.from(signed),
      ];
    },
  };
}

export const FIND_HEAD: Statement = {
  name: 'vault-record-head',
  text: `SELECT u.id, u.hash, s.key_version, s.signature FROM vault.uses u
    LEFT JOIN vault.record_signatures s ON s.through = u.id ORDER BY u.id DESC LIMIT 1`,
};

export const FIND_ENTRY_HASH: Statement = {
  name: 'vault-record-entry-hash',
  text: 'SELECT hash FROM vault.uses WHERE id = $1::bigint',
};

export const SIGN_HEAD: Statement = {
  name: 'vault-record-sign',
  text: `INSERT INTO vault.record_signatures (through, key_version, signature)
    VALUES ($1::bigint, $2::int, $3::bytea) ON CONFLICT DO NOTHING`,
};

export const ANY_SIGNATURE: Statement = {
  name: 'vault-record-any-signature',
  text: 'SELECT 1 FROM vault.record_signatures LIMIT 1',
};

/** The entries after `$1`, oldest first, at most `$2`. */
export const READ_ENTRIES: Statement = {
  name: 'vault-record-read',
  text: `SELECT u.id, (extract(epoch FROM u.at) * 1000000)::bigint AS at_micros, u.operation, u.card_id, u.key_version,
      u.requested_by, u.request_id, u.challenge_sha256, u.outcome, u.hash, s.key_version AS signed_by, s.signature
    FROM vault.uses u LEFT JOIN vault.record_signatures s ON s.through = u.id
    WHERE u.id > $1::bigint ORDER BY u.id LIMIT $2::int`,
};

export interface StoredEntry extends Entry {
  readonly hash: Uint8Array;
  readonly signed: { readonly keyVersion: number; readonly signature: Uint8Array } | null;
}

/** Of a row of {@link READ_ENTRIES}. int8 comes as text from the driver. */
export function toStoredEntry(row: Record<string, unknown>): StoredEntry {
  return {
    sequence: BigInt(row.id as string),
    atMicros: BigInt(row.at_micros as string),
    use: {
      operation: row.operation as string,
      cardId: row.card_id as string,
      keyVersion: row.key_version as number | null,
      requestedBy: row.requested_by as string,
      requestId: row.request_id as string,
      challengeDigest: row.challenge_sha256 as Buffer | null,
    },
    outcome: row.outcome as string,
    hash: row.hash as Buffer,
    signed: row.signature === null ? null : { keyVersion: row.signed_by as number, signature: row.signature as Buffer },
  };
}
