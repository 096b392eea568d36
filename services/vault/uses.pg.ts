import { Batch } from './batch.ts';
import type { Database } from './pool.pg.ts';
import type { Use, UseRecord } from './ports.ts';

export const USE_COLUMNS = 'operation, card_id, key_version, requested_by, request_id, challenge_sha256, outcome';

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

const INSERT = {
  name: 'vault-record-uses',
  text: `INSERT INTO vault.uses (${USE_COLUMNS})
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::bytea[], $7::text[])`,
};

/** Group commit: all uses that wait share one INSERT and one flush to disk. Each resolves after that commit. */
export function useRecord(database: Database): UseRecord {
  const batch = new Batch<unknown[], undefined>(
    async (rows) => {
      const columns = Array.from({ length: 7 }, (_, column) => rows.map((row) => row[column]));
      await database.query(INSERT, columns);
      return rows.map(() => undefined);
    },
    { maxSize: 500, maxUnderWay: 2 },
  );
  return { record: (use, outcome) => batch.ask(useValues(use, outcome)) };
}
