import type { Database } from '../pool.pg.ts';
import { toStoredEntry } from '../uses.pg.ts';
import type { Limits } from './limits.ts';

const PAGE = 5000;
/** From the newest back: the record is read only as far as the last hour goes. */
const READ_BACK = {
  name: 'vault-record-read-back',
  text: `SELECT u.id, (extract(epoch FROM u.at) * 1000000)::bigint AS at_micros, u.operation, u.card_id, u.key_version,
      u.requested_by, u.request_id, u.challenge_sha256, u.outcome, u.hash, NULL AS signature
    FROM vault.uses u WHERE u.id < $1::bigint ORDER BY u.id DESC LIMIT ${PAGE}`,
};
const NEWER_THAN_ALL = 2n ** 63n - 1n;

/** Counts the last hour of the record, so that a restart gives nobody a new hour. */
export async function loadLimits(database: Database, limits: Limits, nowMs: number): Promise<void> {
  const from = BigInt(nowMs - 3_600_000) * 1000n;
  let before = NEWER_THAN_ALL;
  for (;;) {
    const entries = (await database.query(READ_BACK, [before])).rows.map(toStoredEntry);
    for (const { use, outcome, atMicros } of entries) limits.note(use, outcome, Number(atMicros / 1000n));
    const oldest = entries.at(-1);
    if (entries.length < PAGE || oldest === undefined || oldest.atMicros < from) return;
    before = oldest.sequence;
  }
}
