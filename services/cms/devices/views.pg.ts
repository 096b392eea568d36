import type pg from 'pg';
import { Where } from '../platform/query.pg.ts';
import type { Device, DeviceAttestation } from './device.ts';
import type { DeviceViews } from './ports.ts';

const SELECT = `SELECT id, host_name AS "hostName", platform, tpm, created_at AS "createdAt", last_seen_at AS "lastSeenAt",
  checked_in_at AS "checkedInAt", agent_version AS "agentVersion", i.manufacturer, i.model, i.firmware,
  i.certificate_digest AS "certificateDigest", i.attestation_key_name AS "attestationKeyName", i.attested_at AS "attestedAt",
  i.changed_at AS "tpmChangedAt" FROM devices LEFT JOIN device_identities i ON i.device_id = id`;

type Nullable<T> = { [Key in keyof T]: T[Key] | null };
type Row = Omit<Device, 'attestation'> & Nullable<DeviceAttestation>;

export function createDeviceViews(pool: pg.Pool): DeviceViews {
  return {
    async find(deviceId) {
      const { rows } = await pool.query<Row>({
        name: 'device-find',
        text: `${SELECT} WHERE id = $1`,
        values: [deviceId],
      });
      return rows[0] === undefined ? null : toDevice(rows[0]);
    },
    async list({ q, hostName }, after, limit) {
      const where = new Where()
        .contains('lower(host_name)', q)
        .and(hostName?.toLowerCase(), (p) => `lower(host_name) = ${p}`)
        .and(after, (p) => `id < ${p}::uuid`);
      const { rows } = await pool.query<Row>(`${SELECT} ${where} ORDER BY id DESC LIMIT ${limit}`, where.values);
      return rows.map(toDevice);
    },
  };
}

function toDevice(row: Row): Device {
  const { manufacturer, model, firmware, certificateDigest, attestationKeyName, attestedAt, tpmChangedAt, ...device } =
    row;
  const whole = { manufacturer, model, firmware, certificateDigest, attestationKeyName, attestedAt };
  // The columns are of one row, which is there or not.
  const attestation = attestedAt === null ? null : ({ ...whole, tpmChangedAt } as DeviceAttestation);
  return { ...device, attestation };
}
