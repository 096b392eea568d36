import type { Database } from '../database.pg.ts';
import type { RevokedEntry } from './crl.ts';
import type { CrlStore, StoredCrl } from './publish-crl.ts';
import type { RevocationReason } from './reasons.ts';

interface CrlRow {
  readonly number: string;
  readonly this_update: Date;
  readonly next_update: Date;
  readonly change_count: string;
  readonly crl: Buffer;
}

const CURRENT = 'SELECT number, this_update, next_update, change_count, crl FROM ca.crls WHERE issuer = $1';

export function crlStore(database: Database): CrlStore {
  return {
    async current(issuer) {
      const [row] = await database.query<CrlRow>('current-crl', CURRENT, [issuer]);
      return row === undefined ? null : stored(row);
    },

    async revocationCount(issuer) {
      const [row] = await database.query<{ change_count: string }>(
        'revocation-count',
        'SELECT change_count FROM ca.crl_scopes WHERE issuer = $1',
        [issuer],
      );
      return BigInt(row?.change_count ?? 0);
    },

    replace: (issuer, make) =>
      database.transaction(async (queries) => {
        // Held until the end: the next number is given to one process at a time, and only with a CRL that has it. (The
        // row of ca.crls can't be what is locked: the first CRL finds none.)
        await queries.query('lock-crl', "SELECT pg_advisory_xact_lock(hashtext('ca.crls'), hashtext($1))", [issuer]);
        const [before] = await queries.query<CrlRow>('current-crl', CURRENT, [issuer]);
        const [scope] = await queries.query<{ change_count: string }>(
          'revocation-count',
          'SELECT change_count FROM ca.crl_scopes WHERE issuer = $1',
          [issuer],
        );
        const rows = await queries.query<{ serial_number: Buffer; reason: RevocationReason; revoked_at: Date }>(
          'revoked',
          'SELECT serial_number, reason, revoked_at FROM ca.revocations WHERE issuer = $1 ORDER BY serial_number',
          [issuer],
        );
        const entries = rows.map(
          (row): RevokedEntry => ({ serialNumber: row.serial_number, reason: row.reason, revokedAt: row.revoked_at }),
        );
        const next = await make(BigInt(before?.number ?? 0) + 1n, entries, BigInt(scope?.change_count ?? 0));
        await queries.query(
          'replace-crl',
          `INSERT INTO ca.crls (issuer, shard, kind, number, this_update, next_update, change_count, crl)
           VALUES ($1, 0, 'full', $2, $3, $4, $5, $6)
           ON CONFLICT (issuer, shard, kind) DO UPDATE SET number = excluded.number, this_update = excluded.this_update,
             next_update = excluded.next_update, change_count = excluded.change_count, crl = excluded.crl`,
          [issuer, next.number, next.thisUpdate, next.nextUpdate, next.revocationCount, next.crl],
        );
        return next;
      }),
  };
}

function stored(row: CrlRow): StoredCrl {
  return {
    number: BigInt(row.number),
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    revocationCount: BigInt(row.change_count),
    crl: row.crl,
  };
}
