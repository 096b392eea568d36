import type pg from 'pg';
import { ALERT_ACTION } from './note-alerts.ts';
import type { NotedAlerts } from './ports.ts';

export function createNotedAlerts(pool: pg.Pool): NotedAlerts {
  return {
    async last() {
      const { rows } = await pool.query<{ alert: string }>(
        // The alias must not be `id`: ORDER BY would take it, a text, for the number of the event.
        'SELECT object_id AS alert FROM audit_events WHERE action = $1 ORDER BY id DESC LIMIT 1',
        [ALERT_ACTION],
      );
      return rows[0]?.alert ?? '0';
    },
  };
}
