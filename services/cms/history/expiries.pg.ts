import type pg from 'pg';
import type { CertificateExpiries } from './ports.ts';

/** What is added up, and what has not been yet: one statement sees each change in one of the two. */
const COUNTS = `SELECT to_char(month, 'YYYY-MM') AS month, nullif(certificate_profile, '') AS "certificateProfile", sum(n)::float8 AS count
  FROM (
    SELECT month, certificate_profile, count AS n FROM certificate_expiry_counts
    UNION ALL SELECT month, certificate_profile, change FROM certificate_expiry_changes
  ) AS kept
  WHERE month >= to_date($1, 'YYYY-MM') AND month < to_date($2, 'YYYY-MM')
  GROUP BY kept.month, certificate_profile HAVING sum(n) > 0 ORDER BY kept.month, certificate_profile`;

export function createCertificateExpiries(pool: pg.Pool): CertificateExpiries {
  return {
    async counts(from, before) {
      const values = [from, before];
      const { rows } = await pool.query<{ month: string; certificateProfile: string | null; count: number }>({
        ...{ name: 'certificate-expiries', text: COUNTS, values },
      });
      return rows;
    },

    async addUp() {
      const { rows } = await pool.query<{ added: number }>('SELECT add_up_certificate_expiries()::int AS added');
      return rows[0]?.added ?? 0;
    },
  };
}
