import type { Database } from '../database.pg.ts';
import { OCSP_RESPONDER } from './profiles.ts';

export interface UnfinishedRequests {
  readonly count: number;
  readonly oldest: readonly { readonly requestId: string; readonly profile: string; readonly proposedAt: Date }[];
}

/**
 * Certificates that were proposed and of which nothing was recorded since: never signed, or signed by a process that was
 * killed before it could say so to anybody. Their bodies are not signed here: a body counts only together with the request
 * that it answers, or whoever can write in this database could have anything signed. (The responder's own are left out:
 * nobody asks for one again.)
 */
export async function unfinishedRequests(database: Database): Promise<UnfinishedRequests> {
  const rows = await database.query<{ request_id: string; profile: string; proposed_at: Date; count: string }>(
    'unfinished-requests',
    `SELECT request_id, profile, proposed_at, count(*) OVER () AS count FROM ca.certificates
     WHERE state = 'proposed' AND profile <> $1 ORDER BY proposed_at LIMIT 20`,
    [OCSP_RESPONDER.name],
  );
  return {
    count: Number(rows[0]?.count ?? 0),
    oldest: rows.map((row) => ({ requestId: row.request_id, profile: row.profile, proposedAt: row.proposed_at })),
  };
}
