import type { Alert } from '../operations.ts';
import type { Database } from '../pool.pg.ts';

export interface AlertStore {
  /** Those after the one with that number, oldest first. */
  after(sequence: bigint, limit: number): Promise<readonly Alert[]>;
}

const AFTER = {
  name: 'vault-alerts-after',
  text: `SELECT a.id, a.code, u.at, u.operation, u.card_id, u.key_version, u.requested_by, u.request_id
    FROM vault.alerts a JOIN vault.uses u ON u.id = a.id WHERE a.id > $1::bigint ORDER BY a.id LIMIT $2::int`,
};

export function alertStore(database: Database): AlertStore {
  return {
    async after(sequence, limit) {
      const { rows } = await database.query(AFTER, [sequence, limit]);
      return rows.map((row) => ({
        id: row.id as string,
        code: row.code as string,
        at: (row.at as Date).toISOString(),
        operation: row.operation as string,
        cardId: row.card_id as string,
        keyVersion: row.key_version as number | null,
        requestedBy: row.requested_by as string,
        requestId: row.request_id as string,
      }));
    },
  };
}
