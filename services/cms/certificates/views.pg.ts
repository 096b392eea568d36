import type pg from 'pg';
import type { CertificateStatus } from './certificate.ts';
import { conditionsOf, STATE_AT } from './conditions.pg.ts';
import type { CertificateView, CertificateViews } from './ports.ts';

interface Row extends Omit<CertificateView, 'revocation' | 'person' | 'device' | 'card'> {
  revocation: {
    state: 'proposed' | 'confirmed';
    reason: string;
    comment: string;
    requestedBy: { id: string; name: string };
    /** As the database writes times into JSON. */
    invalidityDate: string | null;
    nextAttemptAt: string | null;
    lastError: { code: string; refused: boolean } | null;
  } | null;
  revokedAt: Date | null;
  displayName: string;
  userPrincipalName: string;
  hostName: string;
  serial: string;
}

const LIVE = `c.status, c.attestation, c.attestation_code AS "attestationCode", c.attested_at AS "attestedAt",
  r.revoked_at AS "revokedAt",
  CASE WHEN r.id IS NULL THEN NULL ELSE json_build_object('state', r.state, 'reason', r.reason, 'comment', r.comment,
    'requestedBy', json_build_object('id', r.requested_by_id, 'name', r.requested_by_name),
    'invalidityDate', r.invalidity_date, 'nextAttemptAt', r.next_attempt_at, 'lastError', CASE WHEN r.state = 'proposed'
      AND r.last_error IS NOT NULL THEN json_build_object('code', r.last_error, 'refused', r.refused) END) END AS revocation,
  (SELECT h.act FROM certificate_holds h WHERE h.certificate_id = c.id AND h.state = 'proposed') AS "openHold"`;

/** The same as of a moment: the decision then, and the last judgement of the key's evidence until then. */
const PAST = `c.past_status AS status, coalesce(a.verdict, 'unattested') AS attestation, a.code AS "attestationCode",
  a.judged_at AS "attestedAt", c.past_effective_at AS "revokedAt",
  CASE WHEN r.id IS NULL OR c.past_reason IS DISTINCT FROM r.reason THEN NULL ELSE json_build_object('state', c.past_decision,
    'reason', r.reason, 'comment', r.comment,
    'requestedBy', json_build_object('id', r.requested_by_id, 'name', r.requested_by_name),
    'invalidityDate', r.invalidity_date, 'nextAttemptAt', NULL, 'lastError', NULL) END AS revocation, NULL AS "openHold"`;
const judgedBy = (moment: string) => `LEFT JOIN LATERAL (SELECT verdict, code, judged_at FROM attestation_evidence
  WHERE certificate_id = c.id AND judged_at <= ${moment} ORDER BY id DESC LIMIT 1) a ON true`;

/** What was found, with the words for what it belongs to: joined to a page at most, whatever the planner thinks. */
const described = (
  found: string,
  state: string,
  more = '',
) => `SELECT c.id, c.card_id AS "cardId", c.device_id AS "deviceId",
  c.person_id AS "personId", c.container, c.certificate_profile AS "certificateProfile",
  c.certificate_profile_version AS "certificateProfileVersion", c.authority, c.assurance, c.serial_number AS "serialNumber",
  c.thumbprint, encode(c.public_key_hash, 'hex') AS "publicKey", c.subject, c.issuer, c.not_before AS "notBefore",
  c.not_after AS "notAfter", c.der, c.created_at AS "createdAt", coalesce(c.ignored_request, '[]') AS "ignoredRequest", ${state},
  p.display_name AS "displayName", p.user_principal_name AS "userPrincipalName", d.host_name AS "hostName", k.serial
  FROM (${found}) c JOIN people p ON p.id = c.person_id JOIN devices d ON d.id = c.device_id JOIN cards k ON k.id = c.card_id
  LEFT JOIN revocations r ON r.certificate_id = c.id ${more}`;

export function createCertificateViews(pool: pg.Pool): CertificateViews {
  return {
    async find(id) {
      const text = described('SELECT * FROM certificates WHERE id = $1', LIVE);
      const { rows } = await pool.query<Row>({ name: 'certificate-find', text, values: [id] });
      return rows[0] === undefined ? null : toView(rows[0]);
    },

    async list(filters, now, after, limit) {
      const { name, where, values, order } = conditionsOf(filters, now, after);
      const last = `$${values.push(limit)}`;
      const { asOf } = filters;
      const moment = asOf === undefined ? null : `$${values.push(asOf)}`;
      const clause = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
      const [columns, state] =
        moment === null
          ? ['c.*', '']
          : [
              'c.*, s.status AS past_status, s.decision AS past_decision, s.reason AS past_reason, s.effective_at AS past_effective_at',
              STATE_AT(moment),
            ];
      const found = `SELECT ${columns} FROM certificates c ${state} ${clause} ORDER BY ${order} LIMIT ${last}`;
      const text = `${moment === null ? described(found, LIVE) : described(found, PAST, judgedBy(moment))} ORDER BY ${order}`;
      const { rows } = await pool.query<Row>({ name: asOf === undefined ? name : `${name}-as-of`, text, values });
      return rows.map(toView);
    },
  };
}

function toView(row: Row): CertificateView {
  const { revocation, revokedAt, displayName, userPrincipalName, hostName, serial, ...certificate } = row;
  return {
    ...certificate,
    status: certificate.status as CertificateStatus,
    revocation: revocation === null || revokedAt === null ? null : { ...revocation, revokedAt, ...datesOf(revocation) },
    person: { id: row.personId, displayName, userPrincipalName },
    device: { id: row.deviceId, hostName },
    card: { id: row.cardId, serial },
  };
}

function datesOf({ invalidityDate, nextAttemptAt }: NonNullable<Row['revocation']>) {
  const dateOf = (text: string | null) => (text === null ? null : new Date(text));
  return { invalidityDate: dateOf(invalidityDate), nextAttemptAt: dateOf(nextAttemptAt) };
}
