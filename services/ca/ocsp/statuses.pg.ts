import type { AuthorityName } from '../authorities/authority.ts';
import type { Database } from '../database.pg.ts';
import type { RevocationReason } from '../revocation/reasons.ts';
import type { StatusStore } from './responder.ts';
import type { CertificateStatus } from './response.ts';

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
