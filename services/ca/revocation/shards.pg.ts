import { DomainError } from '@cardwright/protocol';
import type { AuthorityName } from '../authorities/authority.ts';
import type { Database } from '../database.pg.ts';

/**
 * Over how many CRLs the issuer's certificates are spread: as recorded, or `wanted` (1 when null) from now on and for ever.
 * @throws DomainError `crl-shards-fixed` (conflict) when another number is recorded
 */
export async function crlShards(database: Database, issuer: AuthorityName, wanted: number | null): Promise<number> {
  await database.query(
    'found-crl-shards',
    'INSERT INTO ca.crl_partitions (issuer, shards) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [issuer, wanted ?? 1],
  );
  const [row] = await database.query<{ shards: number }>(
    'crl-shards',
    'SELECT shards FROM ca.crl_partitions WHERE issuer = $1',
    [issuer],
  );
  if (row === undefined) throw new Error('crl_partitions lost a row');
  if (wanted !== null && row.shards !== wanted) {
    throw new DomainError(
      'conflict',
      'crl-shards-fixed',
      `CA_CRL_SHARDS is ${wanted}, and this CA began with ${row.shards}: every certificate names the CRL that lists it, ` +
        'so the number stays. Leave CA_CRL_SHARDS out',
    );
  }
  return row.shards;
}
