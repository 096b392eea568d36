import type { Database } from '../../database.pg.ts';
import type { CertificateList } from '../../x509/certificate-list.ts';

/** @returns the root's CRL, DER; null: none yet */
export async function currentRootCrl(database: Database): Promise<Buffer | null> {
  const [row] = await database.query<{ crl: Buffer }>(
    'root-crl',
    "SELECT crl FROM ca.crls WHERE issuer = 'root' AND shard = 0 AND kind = 'full'",
    [],
  );
  return row?.crl ?? null;
}

/** Number and CRL in one transaction; the database refuses a number that is not over the last one. */
export async function recordRootCrl(database: Database, der: Buffer, list: CertificateList): Promise<void> {
  const { number, thisUpdate, nextUpdate } = list;
  await database.transaction(async (queries) => {
    await queries.query(
      'root-crl-number',
      `INSERT INTO ca.crl_numbers (issuer, shard, number, base_number, base_change_count, base_at)
       VALUES ('root', 0, $1, $1, 0, $2)
       ON CONFLICT (issuer, shard) DO UPDATE SET number = excluded.number, base_number = excluded.base_number,
         base_at = excluded.base_at`,
      [number, thisUpdate],
    );
    await queries.query(
      'record-root-crl',
      `INSERT INTO ca.crls (issuer, shard, kind, number, this_update, next_update, change_count, crl)
       VALUES ('root', 0, 'full', $1, $2, $3, 0, $4)
       ON CONFLICT (issuer, shard, kind) DO UPDATE SET number = excluded.number, this_update = excluded.this_update,
         next_update = excluded.next_update, crl = excluded.crl`,
      [number, thisUpdate, nextUpdate, der],
    );
  });
}
