import type pg from 'pg';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { EndingCertificate, RenewalRecords } from './ports.ts';

/** Since when there is a record of the certificate's key, in whatever certificate. */
const KEY_SINCE = `(SELECT coalesce(min(o.created_at), c.created_at) FROM certificates o WHERE o.public_key_hash = c.public_key_hash)`;

const FACTS = `SELECT c.id, c.renewal_requested_at AS "requestedAt", ${KEY_SINCE} AS "keySince"
  FROM certificates c WHERE c.id = ANY($1::uuid[])`;

/** The widest window that any profile has, and at least the usual one. A window is never more than half of a life. */
const WIDEST = `SELECT greatest(30, (SELECT max(renewal_days) FROM certificate_profiles),
  (SELECT max((one->>'renewalDays')::int) FROM card_profiles, jsonb_array_elements(containers) AS one))`;

/**
 * By the index of ends, so many and no more are looked at, however few of them are of use: a fleet that was never heard of is no
 * reason to read all of it each time. What an operator asked for before its window is renewed by the task of that act.
 */
const ENDING = `SELECT c.id, c.card_id AS "cardId", c.device_id AS "deviceId", c.container, c.not_before AS "notBefore",
  c.not_after AS "notAfter", c.renewal_requested_at AS "requestedAt", ${KEY_SINCE} AS "keySince",
  k.serial, k.profile_name AS "profileName",
  c.status = 'active' AND k.state IN ('active', 'blocked') AND k.kind = 'tpm' AND k.device_id = c.device_id
    AND coalesce(d.checked_in_at >= $2, false)
    AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.certificate_id = c.id) AS able,
  EXISTS (SELECT 1 FROM tasks t WHERE t.card_id = c.card_id AND t.kind = 'renew'
    AND (t.state IN ('queued', 'delivered') OR t.created_at >= $3 OR t.finished_at >= $3)) AS asked,
  ARRAY(SELECT m.days FROM renewal_reminders m WHERE m.certificate_id = c.id) AS reminded
  FROM (SELECT * FROM certificates WHERE status IN ('active', 'on-hold') AND not_after > $1
    AND not_after < $1::timestamptz + make_interval(days => (${WIDEST}))
    AND (not_after, id) > ($4::timestamptz, $5::uuid) ORDER BY not_after, id LIMIT $6) c
  JOIN cards k ON k.id = c.card_id JOIN devices d ON d.id = c.device_id
  ORDER BY c.not_after, c.id`;
const BEFORE_ALL = ['-infinity', '00000000-0000-0000-0000-000000000000'];

interface FactsRow {
  id: string;
  keySince: Date;
  requestedAt: Date | null;
}

export function createRenewalRecords(pool: pg.Pool): RenewalRecords {
  return {
    async factsOf(ids) {
      const { rows } = await pool.query<FactsRow>({ name: 'renewal-facts', text: FACTS, values: [[...ids]] });
      return new Map(rows.map(({ id, ...facts }) => [id, facts]));
    },

    async setRequested(tx, id, at) {
      await clientOf(tx).$executeRaw`UPDATE certificates SET renewal_requested_at = ${at}, version = version + 1
        WHERE id = ${id}::uuid AND renewal_requested_at IS NULL`;
    },

    async raiseCardVersion(tx, cardId) {
      await clientOf(tx).$executeRaw`UPDATE cards SET version = version + 1 WHERE id = ${cardId}::uuid`;
    },

    async reminderTask(tx, certificateId, days) {
      const where = { certificateId_days: { certificateId, days } };
      return (await clientOf(tx).renewalReminder.findUnique({ where }))?.taskId ?? null;
    },

    async reminded(tx, { at, ...reminder }) {
      await clientOf(tx).renewalReminder.create({ data: { ...reminder, createdAt: at } });
    },

    async endingSoon({ now, seenSince, retryAfter }, after, limit) {
      const values = [now, seenSince, retryAfter, ...(after === null ? BEFORE_ALL : after.split('|')), limit];
      const { rows } = await pool.query<Omit<EndingCertificate, 'key'>>({ name: 'renewals-due', text: ENDING, values });
      return rows.map((row) => ({ ...row, key: `${row.notAfter.toISOString()}|${row.id}` }));
    },
  };
}
