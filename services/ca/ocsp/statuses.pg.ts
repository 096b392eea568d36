import type { AuthorityName } from '../authorities/authority.ts';
import type { Database } from '../database.pg.ts';
import type { RevocationReason } from '../revocation/reasons.ts';
import type { StatusStore } from './responder.ts';
import type { CertificateStatus } from './response.ts';
import type { ChangeLog } from './status-watch.ts';

interface Row {
  readonly serial_number: Buffer;
  readonly reason: RevocationReason | null;
  readonly revoked_at: Date | null;
}

export function statusStore(database: Database, issuer: AuthorityName): StatusStore {
  return {
    async statuses(serialNumbers) {
      if (serialNumbers.length === 0) return new Map();
      const rows = await database.query<Row>(
        'statuses',
        `SELECT c.serial_number, r.reason, r.revoked_at
         FROM ca.certificates c LEFT JOIN ca.revocations r ON r.serial_number = c.serial_number
         WHERE c.serial_number = ANY($1::bytea[]) AND c.issuer = $2 AND c.state = 'issued'`,
        [serialNumbers, issuer],
      );
      return new Map(rows.map((row) => [row.serial_number.toString('hex'), statusOf(row)]));
    },
  };
}

function statusOf({ reason, revoked_at: revokedAt }: Row): CertificateStatus {
  if (reason === null || revokedAt === null) return { status: 'good' };
  return { status: 'revoked', reason, revokedAt };
}

/** More changes than this at once: everything is forgotten rather than each named. */
const MOST_CHANGES = 2000;

export function changeLog(database: Database, issuer: AuthorityName): ChangeLog {
  return {
    async counts() {
      const rows = await database.query<{ shard: number; change_count: string }>(
        'change-counts',
        'SELECT shard, change_count FROM ca.crl_scopes WHERE issuer = $1',
        [issuer],
      );
      return new Map(rows.map((row) => [row.shard, BigInt(row.change_count)]));
    },

    async changedAfter(shard, after) {
      const rows = await database.query<{ serial: string }>(
        'changed-after',
        `SELECT encode(serial_number, 'hex') AS serial FROM ca.status_changes
         WHERE issuer = $1 AND shard = $2 AND number > $3 ORDER BY number LIMIT $4`,
        [issuer, shard, after, MOST_CHANGES + 1],
      );
      return rows.length > MOST_CHANGES ? null : rows.map(({ serial }) => serial);
    },
  };
}
