import type { Database } from '../database.pg.ts';
import type { RevokedEntry } from './crl.ts';
import type { CrlStore, StoredCrl } from './publish-crl.ts';
import type { RevocationReason } from './reasons.ts';

interface CrlRow {
  readonly number: string;
  readonly this_update: Date;
  readonly next_update: Date;
  readonly revocation_count: string;
  readonly crl: Buffer;
}

const CURRENT = 'SELECT number, this_update, next_update, revocation_count, crl FROM ca.crls WHERE issuer = $1';

export function crlStore(database: Database): CrlStore {
  return {
    async current(issuer) {
      const [row] = await database.query<CrlRow>('current-crl', CURRENT, [issuer]);
      return row === undefined ? null : stored(row);
    },

    async revocationCount(issuer) {
      const [row] = await database.query<{ revocation_count: string }>(
        'revocation-count',
        'SELECT revocation_count FROM ca.authorities WHERE name = $1',
        [issuer],
      );
      return BigInt(row?.revocation_count ?? 0);
    },

    replace: (issuer, make) =>
      database.transaction(async (queries) => {
        // Held until the end: the next number is given to one process at a time, and only with a CRL that has it. (The
        // row of ca.crls can't be what is locked: the first CRL finds none.)
        await queries.query('lock-crl', "SELECT pg_advisory_xact_lock(hashtext('ca.crls'), hashtext($1))", [issuer]);
        const [before] = await queries.query<CrlRow>('current-crl', CURRENT, [issuer]);
        // One statement sees one moment; its number of rows is what the CRL covers.
        const rows = await queries.query<{ serial_number: Buffer; reason: RevocationReason; revoked_at: Date }>(
          'revoked',
          'SELECT serial_number, reason, revoked_at FROM ca.revocations WHERE issuer = $1 ORDER BY serial_number',
          [issuer],
        );
        const entries = rows.map(
          (row): RevokedEntry => ({ serialNumber: row.serial_number, reason: row.reason, revokedAt: row.revoked_at }),
        );
        const next = await make(BigInt(before?.number ?? 0) + 1n, entries);
        await queries.query(
          'replace-crl',
          `INSERT INTO ca.crls (issuer, number, this_update, next_update, revocation_count, crl)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (issuer) DO UPDATE SET number = excluded.number, this_update = excluded.this_update,
             next_update = excluded.next_update, revocation_count = excluded.revocation_count, crl = excluded.crl`,
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
    revocationCount: BigInt(row.revocation_count),
    crl: row.crl,
  };
}
