import type pg from 'pg';
import type { LockoutDevices } from './ports.ts';

export function createLockoutDevices(pool: pg.Pool): LockoutDevices {
  return {
    async storageKeyName(deviceId) {
      const { rows } = await pool.query<{ name: string }>({
        name: 'lockout-device',
        text: 'SELECT storage_key_name AS name FROM devices WHERE id = $1',
        values: [deviceId],
      });
      return rows[0]?.name ?? null;
    },
  };
}
