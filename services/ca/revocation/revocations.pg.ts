import type { AuthorityName } from '../authorities/authority.ts';
import type { Database } from '../database.pg.ts';
import { type FaultPoint, noFaults } from '../faults.ts';
import type { RevocationReason } from './reasons.ts';
import type { StatusChangeStore } from './revoke.ts';
import type { StatusChange } from './status.ts';

interface ChangeRow {
  readonly status: StatusChange['status'];
  readonly reason: RevocationReason | null;
  readonly changed_at: Date;
  readonly invalidity_date: Date | null;
}

export function statusChangeStore(database: Database, fault: FaultPoint = noFaults): StatusChangeStore {
  return {
    change: (serialNumber, judge, entryOf) =>
      database.transaction(async (queries) => {
        // Locked to the end: what is judged is what is recorded after.
        const [certificate] = await queries.query<{ issuer: AuthorityName; not_before: Date }>(
          'issued-certificate',
          `SELECT issuer, not_before FROM ca.certificates WHERE serial_number = $1 AND state = 'issued'
           FOR NO KEY UPDATE`,
          [serialNumber],
        );
        if (certificate === undefined) return null;
        const { issuer, not_before: notBefore } = certificate;
        const [last] = await queries.query<ChangeRow>(
          'last-status-change',
          `SELECT status, reason, changed_at, invalidity_date FROM ca.status_changes WHERE serial_number = $1
           ORDER BY number DESC LIMIT 1`,
          [serialNumber],
        );
        const outcome = judge({ issuer, notBefore, last: last === undefined ? null : changeOf(last) });
        if ('stands' in outcome) return { issuer, change: outcome.stands };
        const change: StatusChange = outcome.record;
        const { reason, invalidityDate } = change.status === 'good' ? { reason: null, invalidityDate: null } : change;
        fault('status.judged');
        // A trigger of the table finds issuer, shard and number, and keeps ca.revocations.
        await queries.query(
          'record-status-change',
          `INSERT INTO ca.status_changes (serial_number, status, reason, changed_at, invalidity_date, entry)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [serialNumber, change.status, reason, change.at, invalidityDate, entryOf(outcome.record)],
        );
        fault('status.recorded');
        return { issuer, change: outcome.record };
      }),
  };
}

function changeOf({ status, reason, changed_at: at, invalidity_date: invalidityDate }: ChangeRow): StatusChange {
  if (status === 'good') return { status, at };
  if (reason === null) throw new Error('a revocation without a reason');
  return { status, reason, at, invalidityDate };
}
