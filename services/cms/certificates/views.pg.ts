import type pg from 'pg';
import type { CertificateStatus } from './certificate.ts';
import type { CertificateView, CertificateViews } from './ports.ts';

interface Row extends Omit<CertificateView, 'revocation' | 'person' | 'device' | 'card'> {
  revocation: {
    state: 'proposed' | 'confirmed';
    reason: string;
    comment: string;
    requestedBy: { id: string; name: string };
  } | null;
  revokedAt: Date | null;
  displayName: string;
  userPrincipalName: string;
  hostName: string;
  serial: string;
}

const SELECT = `SELECT c.id, c.card_id AS "cardId", c.device_id AS "deviceId", c.person_id AS "personId", c.container, c.status,
  c.serial_number AS "serialNumber", c.thumbprint, c.subject, c.issuer, c.not_before AS "notBefore", c.not_after AS "notAfter",
  c.der, c.created_at AS "createdAt", c.attestation, c.attestation_code AS "attestationCode", c.attested_at AS "attestedAt",
  r.revoked_at AS "revokedAt",
  CASE WHEN r.id IS NULL THEN NULL ELSE json_build_object('state', r.state, 'reason', r.reason, 'comment', r.comment,
    'requestedBy', json_build_object('id', r.requested_by_id, 'name', r.requested_by_name)) END AS revocation,
  p.display_name AS "displayName", p.user_principal_name AS "userPrincipalName", d.host_name AS "hostName", k.serial
  FROM certificates c JOIN people p ON p.id = c.person_id JOIN devices d ON d.id = c.device_id JOIN cards k ON k.id = c.card_id
  LEFT JOIN revocations r ON r.certificate_id = c.id`;

/** How each filter stands in the WHERE clause. Only those given appear, so that the planner sees which index serves. */
const CONDITIONS = {
  deviceId: (n: number) => `c.device_id = $${n}`,
  cardId: (n: number) => `c.card_id = $${n}`,
  personId: (n: number) => `c.person_id = $${n}`,
  serialNumber: (n: number) => `c.serial_number = $${n}`,
  thumbprint: (n: number) => `c.thumbprint = $${n}`,
} as const;

const STATUS_CONDITIONS = {
  proposed: () => `c.status = 'proposed'`,
  failed: () => `c.status = 'failed'`,
  'on-hold': (now: number) => `c.status = 'on-hold' AND c.not_after > $${now}`,
  revoked: () => `c.status = 'revoked'`,
  active: (now: number) => `c.status = 'active' AND c.not_after > $${now}`,
  expired: (now: number) => `c.status IN ('active', 'on-hold') AND c.not_after <= $${now}`,
} as const;

export function createCertificateViews(pool: pg.Pool): CertificateViews {
  return {
    async find(id) {
      const { rows } = await pool.query<Row>({
        name: 'certificate-find',
        text: `${SELECT} WHERE c.id = $1`,
        values: [id],
      });
      return rows[0] === undefined ? null : toView(rows[0]);
    },

    async list(filters, now, after, limit) {
      const values: unknown[] = [];
      const parameter = (value: unknown) => values.push(value);
      const where: string[] = [];
      let name = 'certificates';
      for (const [key, condition] of Object.entries(CONDITIONS) as [keyof typeof CONDITIONS, (n: number) => string][]) {
        if (filters[key] === undefined) continue;
        where.push(condition(parameter(filters[key])));
        name += `-${key}`;
      }
      if (filters.status !== undefined) {
        const timed = ['active', 'on-hold', 'expired'].includes(filters.status);
        where.push(STATUS_CONDITIONS[filters.status](timed ? parameter(now) : 0));
        name += `-${filters.status}`;
      }
      if (after !== null) {
        where.push(`c.id < $${parameter(after)}`);
        name += '-after';
      }
      const clause = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
      const text = `${SELECT}${clause} ORDER BY c.id DESC LIMIT $${parameter(limit)}`;
      const { rows } = await pool.query<Row>({ name, text, values });
      return rows.map(toView);
    },
  };
}

function toView(row: Row): CertificateView {
  const { revocation, revokedAt, displayName, userPrincipalName, hostName, serial, ...certificate } = row;
  return {
    ...certificate,
    status: certificate.status as CertificateStatus,
    revocation: revocation === null || revokedAt === null ? null : { ...revocation, revokedAt },
    person: { id: row.personId, displayName, userPrincipalName },
    device: { id: row.deviceId, hostName },
    card: { id: row.cardId, serial },
  };
}
