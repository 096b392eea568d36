import type { AuthorityName } from '../authorities/authority.ts';
import type { Database } from '../database.pg.ts';
import type { RevocationReason } from './reasons.ts';
import type { Revocation, RevocationStore } from './revoke.ts';

interface Row {
  readonly reason: RevocationReason;
  readonly revoked_at: Date;
}

export function revocationStore(database: Database): RevocationStore {
  return {
    async issuedCertificate(serialNumber) {
      const [row] = await database.query<{ issuer: AuthorityName; not_before: Date }>(
        'issued-certificate',
        "SELECT issuer, not_before FROM ca.certificates WHERE serial_number = $1 AND state = 'issued'",
        [serialNumber],
      );
      return row === undefined ? null : { issuer: row.issuer, notBefore: row.not_before };
    },

    async record({ serialNumber, reason, revokedAt }: Revocation, issuer) {
      await database.query(
        'record-revocation',
        `INSERT INTO ca.revocations (serial_number, issuer, reason, revoked_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (serial_number) DO NOTHING`,
        [serialNumber, issuer, reason, revokedAt],
      );
      const [row] = await database.query<Row>(
        'revocation',
        'SELECT reason, revoked_at FROM ca.revocations WHERE serial_number = $1',
        [serialNumber],
      );
      if (row === undefined) throw new Error('a revocation vanished');
      return { serialNumber, reason: row.reason, revokedAt: row.revoked_at };
    },
  };
}
