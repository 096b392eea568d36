import type pg from 'pg';
import { Where } from '../platform/query.pg.ts';
import type { Device } from './device.ts';
import type { DeviceViews } from './ports.ts';

const SELECT = `SELECT id, host_name AS "hostName", platform, tpm, created_at AS "createdAt", last_seen_at AS "lastSeenAt",
  checked_in_at AS "checkedInAt", agent_version AS "agentVersion" FROM devices`;

export function createDeviceViews(pool: pg.Pool): DeviceViews {
  return {
    async find(deviceId) {
      const { rows } = await pool.query<Device>({
        name: 'device-find',
        text: `${SELECT} WHERE id = $1`,
        values: [deviceId],
      });
      return rows[0] ?? null;
    },
    async list({ q, hostName }, after, limit) {
      const where = new Where()
        .contains('lower(host_name)', q)
        .and(hostName?.toLowerCase(), (p) => `lower(host_name) = ${p}`)
        .and(after, (p) => `id < ${p}::uuid`);
      const { rows } = await pool.query<Device>(`${SELECT} ${where} ORDER BY id DESC LIMIT ${limit}`, where.values);
      return rows;
    },
  };
}
