import pg from 'pg';
import { type StoredEntry, toStoredEntry } from '../uses.pg.ts';
import type { CmsEvent, RecordedUse } from './compare.ts';

const PAGE = 2000;

/** Reads rows through a cursor, so that neither end holds more than a page. The snapshot is that of its beginning. */
async function* rowsOf(url: string, query: string, values: unknown[]): AsyncGenerator<Record<string, unknown>> {
  const client = new pg.Client({ connectionString: url, application_name: 'cardwright-vault-audit' });
  client.on('error', () => undefined); // the query under way fails as well
  await client.connect();
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`DECLARE lines NO SCROLL CURSOR FOR ${query}`, values);
    for (;;) {
      const { rows } = await client.query<Record<string, unknown>>(`FETCH ${PAGE} FROM lines`);
      yield* rows;
      if (rows.length < PAGE) return;
    }
  } finally {
    await client.end();
  }
}

/** Oldest first. */
export async function* recordEntries(url: string): AsyncGenerator<StoredEntry> {
  const query = `SELECT u.id, (extract(epoch FROM u.at) * 1000000)::bigint AS at_micros, u.operation, u.card_id,
      u.key_version, u.requested_by, u.request_id, u.challenge_sha256, u.outcome, u.hash, s.key_version AS signed_by,
      s.signature
    FROM vault.uses u LEFT JOIN vault.record_signatures s ON s.through = u.id ORDER BY u.id`;
  for await (const row of rowsOf(url, query, [])) yield toStoredEntry(row);
}

/** By request id. @param through the last entry that is looked at. */
export async function* usesByRequest(url: string, through: bigint): AsyncGenerator<RecordedUse> {
  const query = `SELECT id, at, operation, card_id, requested_by, request_id, encode(challenge_sha256, 'hex') AS digest, outcome
    FROM vault.uses WHERE id <= $1::bigint ORDER BY request_id COLLATE "C", id`;
  for await (const row of rowsOf(url, query, [through])) {
    yield {
      sequence: row.id as string,
      at: (row.at as Date).toISOString(),
      operation: row.operation as string,
      cardId: row.card_id as string,
      requestedBy: row.requested_by as string,
      requestId: row.request_id as string,
      challengeDigest: row.digest as string | null,
      outcome: row.outcome as string,
    };
  }
}

/** By request id. @param settledThrough the number of the last event that was there before the record was read. */
export async function* eventsByRequest(url: string, settledThrough: bigint): AsyncGenerator<CmsEvent> {
  const query = `SELECT id, time, actor_id, action, outcome, card_id, request_id, after ->> 'challengeDigest' AS digest,
      id <= $1::bigint AS settled
    FROM audit_events ORDER BY request_id COLLATE "C", id`;
  for await (const row of rowsOf(url, query, [settledThrough])) {
    yield {
      id: row.id as string,
      time: (row.time as Date).toISOString(),
      actorId: row.actor_id as string,
      action: row.action as string,
      outcome: row.outcome as string,
      cardId: row.card_id as string | null,
      requestId: row.request_id as string,
      challengeDigest: row.digest as string | null,
      settled: row.settled as boolean,
    };
  }
}

export async function lastEvent(url: string): Promise<bigint> {
  for await (const row of rowsOf(url, 'SELECT coalesce(max(id), 0)::bigint AS last FROM audit_events', [])) {
    return BigInt(row.last as string);
  }
  return 0n;
}
