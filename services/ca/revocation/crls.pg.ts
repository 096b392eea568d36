import type { AuthorityName } from '../authorities/authority.ts';
import type { Database, Queries } from '../database.pg.ts';
import { type FaultPoint, noFaults } from '../faults.ts';
import type { CrlKind } from './crl-name.ts';
import type { CrlSource, CrlStore, StoredCrl } from './publish-crl.ts';
import type { CrlHead, CrlState } from './schedule.ts';

/** Of the lock under which a scope's next CRL is made; the shard is added. The authorities' own is 72707370. */
const CRL_LOCKS = { root: 72_708_000, issuing: 72_709_000 } as const;
/** Entries that come in one answer of the database: some 200 KB, as text twice that. */
const BATCH = 4096;
/** What goes to the database at a time, and comes from it: drivers make copies of it. */
const PART_BYTES = 262_144;

interface StateRow {
  readonly change_count: string;
  readonly entry_count: string;
  readonly entry_bytes: string;
  readonly number: string;
  readonly base_number: string | null;
  readonly base_change_count: string | null;
  readonly base_at: Date | null;
  readonly full: HeadJson | null;
  readonly delta: HeadJson | null;
}
interface HeadJson {
  readonly number: string;
  readonly this_update: string;
  readonly next_update: string;
  readonly change_count: string;
}
interface CrlRow {
  readonly number: string;
  readonly this_update: Date;
  readonly next_update: Date;
  readonly change_count: string;
  readonly crl: Buffer;
  readonly more_bytes: string;
}

const headOf = (kind: CrlKind) => `(SELECT json_build_object('number', c.number::text, 'this_update', c.this_update,
    'next_update', c.next_update, 'change_count', c.change_count::text)
  FROM ca.crls c WHERE c.issuer = $1 AND c.shard = $2 AND c.kind = '${kind}')`;

const STATE = `SELECT coalesce(s.change_count, 0) AS change_count, coalesce(s.entry_count, 0) AS entry_count,
    coalesce(s.entry_bytes, 0) AS entry_bytes, coalesce(n.number, 0) AS number, n.base_number, n.base_change_count,
    n.base_at, ${headOf('full')} AS full, ${headOf('delta')} AS delta
  FROM (SELECT 1) AS one
    LEFT JOIN ca.crl_scopes s ON s.issuer = $1 AND s.shard = $2
    LEFT JOIN ca.crl_numbers n ON n.issuer = $1 AND n.shard = $2`;

const OF_PARTS = 'FROM ca.crl_parts WHERE issuer = $1 AND shard = $2 AND kind = $3';
const CURRENT = `SELECT number, this_update, next_update, change_count, crl,
    (SELECT coalesce(sum(length(bytes)), 0) ${OF_PARTS}) AS more_bytes
  FROM ca.crls WHERE issuer = $1 AND shard = $2 AND kind = $3`;
const PART = `SELECT bytes ${OF_PARTS} AND part = $4`;

export function crlStore(database: Database, fault: FaultPoint = noFaults): CrlStore {
  const stateOf = async (queries: Queries, issuer: AuthorityName, shard: number): Promise<CrlState> => {
    const [row] = await queries.query<StateRow>('crl-state', STATE, [issuer, shard]);
    if (row === undefined) throw new Error('one row was asked for');
    return state(row);
  };

  return {
    state: (issuer, shard) => stateOf(database, issuer, shard),

    current: (issuer, shard, kind) =>
      database.snapshot(async (queries) => {
        const key = [issuer, shard, kind];
        const [row] = await queries.query<CrlRow>('current-crl', CURRENT, key);
        if (row === undefined) return null;
        const crl = Buffer.allocUnsafe(row.crl.length + Number(row.more_bytes));
        let at = row.crl.copy(crl);
        for (let part = 1; at < crl.length; part += 1) {
          const [next] = await queries.query<{ bytes: Buffer }>('crl-part', PART, [...key, part]);
          if (next === undefined) throw new Error('a part of a CRL is missing');
          at += next.bytes.copy(crl, at);
        }
        return {
          number: BigInt(row.number),
          thisUpdate: row.this_update,
          nextUpdate: row.next_update,
          changeCount: BigInt(row.change_count),
          crl,
        };
      }),

    // The lock is taken before the moment that is read of: who waited for it must see what the one before made. Should it
    // be lost with its connection, then two write one row of ca.crl_numbers, and the database refuses the second.
    replace: (issuer, shard, make) =>
      database.exclusively(CRL_LOCKS[issuer] + shard, () =>
        database.snapshot(async (queries) => {
          const made = await make(sourceOf(queries, issuer, shard, await stateOf(queries, issuer, shard)));
          if (made === null) return null;
          fault('crls.signed');
          await queries.query(
            'crl-numbers',
            `INSERT INTO ca.crl_numbers (issuer, shard, number, base_number, base_change_count, base_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (issuer, shard) DO UPDATE SET number = excluded.number, base_number = excluded.base_number,
               base_change_count = excluded.base_change_count, base_at = excluded.base_at`,
            [issuer, shard, made.number, made.base?.number, made.base?.changeCount, made.base?.at],
          );
          fault('crls.numbered');
          if (made.full !== null) await keep(queries, issuer, shard, 'full', null, made.full);
          if (made.delta !== null) await keep(queries, issuer, shard, 'delta', made.delta.baseNumber, made.delta);
          fault('crls.kept');
          return made;
        }),
      ),
  };
}

function sourceOf(queries: Queries, issuer: AuthorityName, shard: number, all: CrlState): CrlSource {
  return {
    state: all,
    async *entries() {
      let after = '0';
      for (;;) {
        // One row, however many entries: a row of its own for each would cost more than everything else together.
        const [batch] = await queries.query<{ entries: Buffer | null; last: string | null }>(
          'crl-entries',
          `SELECT string_agg(entry, ''::bytea) AS entries, max(change_number) AS last
           FROM (SELECT entry, change_number FROM ca.revocations
                 WHERE issuer = $1 AND shard = $2 AND change_number > $3 ORDER BY change_number LIMIT $4) AS batch`,
          [issuer, shard, after, BATCH],
        );
        if (batch === undefined || batch.entries === null || batch.last === null) return;
        yield batch.entries;
        after = batch.last;
      }
    },
    async changesAfter(after) {
      const [changes] = await queries.query<{ count: number; entries: Buffer | null }>(
        'crl-changes',
        `SELECT count(*)::int AS count, string_agg(entry, ''::bytea) AS entries
         FROM (SELECT DISTINCT ON (serial_number) entry FROM ca.status_changes
               WHERE issuer = $1 AND shard = $2 AND number > $3 ORDER BY serial_number, number DESC) AS latest`,
        [issuer, shard, after],
      );
      return { count: changes?.count ?? 0, entries: changes?.entries ?? Buffer.alloc(0) };
    },
  };
}

async function keep(
  queries: Queries,
  issuer: AuthorityName,
  shard: number,
  kind: CrlKind,
  baseNumber: bigint | null,
  crl: StoredCrl,
): Promise<void> {
  await queries.query(
    'keep-crl',
    `INSERT INTO ca.crls (issuer, shard, kind, number, base_number, this_update, next_update, change_count, crl)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (issuer, shard, kind) DO UPDATE SET number = excluded.number, base_number = excluded.base_number,
       this_update = excluded.this_update, next_update = excluded.next_update, change_count = excluded.change_count,
       crl = excluded.crl`,
    [
      ...[issuer, shard, kind, crl.number, baseNumber, crl.thisUpdate, crl.nextUpdate, crl.changeCount],
      crl.crl.subarray(0, PART_BYTES),
    ],
  );
  await queries.query('drop-crl-parts', `DELETE ${OF_PARTS}`, [issuer, shard, kind]);
  for (let part = 1; part * PART_BYTES < crl.crl.length; part += 1) {
    await queries.query(
      'keep-crl-part',
      'INSERT INTO ca.crl_parts (issuer, shard, kind, part, bytes) VALUES ($1, $2, $3, $4, $5)',
      [issuer, shard, kind, part, crl.crl.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)],
    );
  }
}

function state(row: StateRow): CrlState {
  const { base_number: baseNumber, base_change_count: baseChanges, base_at: baseAt } = row;
  const base =
    baseNumber === null || baseChanges === null || baseAt === null
      ? null
      : { number: BigInt(baseNumber), changeCount: BigInt(baseChanges), at: baseAt };
  return {
    changeCount: BigInt(row.change_count),
    entryCount: Number(row.entry_count),
    entryBytes: Number(row.entry_bytes),
    number: BigInt(row.number),
    full: row.full && head(row.full),
    delta: row.delta && head(row.delta),
    base,
  };
}

const head = (json: HeadJson): CrlHead => ({
  number: BigInt(json.number),
  thisUpdate: new Date(json.this_update),
  nextUpdate: new Date(json.next_update),
  changeCount: BigInt(json.change_count),
});
