import { Batch } from '@cardwright/link';
import type pg from 'pg';
import type { Principal } from '../kernel/permission.ts';
import type { Credentials } from '../platform/authentication.http.ts';
import { isRole, permissionsOf } from './roles.ts';

/** Two under way: who comes while a statement runs need not wait for its end. */
const LIMITS = { maxSize: 64, maxUnderWay: 2 };

interface Row {
  token_hash: Buffer;
  kind: 'operator' | 'device';
  /** Of a device: how it signed in. */
  credential: 'device-token' | 'superseded-device-token' | 'device-assertion' | null;
  id: string;
  name: string;
  display_name: string;
  role: string | null;
  expires_at: Date | null;
}

const BEARER = {
  name: 'credentials-bearer',
  text: `SELECT t.token_hash, 'operator' AS kind, NULL AS credential, o.id, o.name, o.display_name, o.role, t.expires_at
      FROM api_tokens t JOIN operators o ON o.id = t.operator_id
      WHERE t.token_hash = ANY ($1::bytea[]) AND (t.expires_at IS NULL OR t.expires_at > now()) AND o.disabled_at IS NULL
    UNION ALL
    SELECT d.token_hash, 'device', CASE WHEN i.device_id IS NULL THEN 'device-token' ELSE 'superseded-device-token' END,
        d.id, d.host_name, d.host_name, NULL, NULL
      FROM devices d LEFT JOIN device_identities i ON i.device_id = d.id WHERE d.token_hash = ANY ($1::bytea[])
    UNION ALL
    SELECT a.token_hash, 'device', 'device-assertion', d.id, d.host_name, d.host_name, NULL, a.expires_at
      FROM device_access_tokens a JOIN devices d ON d.id = a.device_id
      WHERE a.token_hash = ANY ($1::bytea[]) AND a.expires_at > now()`,
};

const SESSION = {
  name: 'credentials-session',
  text: `SELECT s.token_hash, 'operator' AS kind, NULL AS credential, o.id, o.name, o.display_name, o.role, s.expires_at
    FROM operator_sessions s JOIN operators o ON o.id = s.operator_id
    WHERE s.token_hash = ANY ($1::bytea[]) AND s.expires_at > now() AND o.disabled_at IS NULL`,
};

/**
 * By unique indexes, before anything else of a request. Requests that come together share one statement, which runs after
 * they came. Nothing is cached: what is revoked is revoked at once.
 */
export function createCredentials(pool: pg.Pool): Credentials {
  function finder(statement: { name: string; text: string }, credential: 'session' | 'api-token') {
    const rows = new Batch<string, Row | undefined>(async (hashes) => {
      const values = [[...new Set(hashes)].map((hash) => Buffer.from(hash, 'base64'))];
      const found = await pool.query<Row>({ ...statement, values });
      const byHash = new Map<string, Row>();
      for (const row of found.rows) {
        const hash = row.token_hash.toString('base64');
        // A device chose its own token: it takes none of an operator away.
        if (row.kind === 'operator' || !byHash.has(hash)) byHash.set(hash, row);
      }
      return hashes.map((hash) => byHash.get(hash));
    }, LIMITS);
    return async (tokenHash: Uint8Array): Promise<Principal | null> => {
      const row = await rows.ask(Buffer.from(tokenHash).toString('base64'));
      return row === undefined ? null : toPrincipal(row, credential);
    };
  }
  return { bearer: finder(BEARER, 'api-token'), session: finder(SESSION, 'session') };
}

const NO_PERMISSIONS: ReadonlySet<never> = new Set();

function toPrincipal(row: Row, credential: 'session' | 'api-token'): Principal {
  const { id, name, display_name: displayName, role, expires_at: expiresAt } = row;
  if (row.kind === 'device') {
    return {
      actor: { kind: 'device', id, name },
      displayName,
      permissions: NO_PERMISSIONS,
      credential: row.credential ?? 'device-token',
      expiresAt,
    };
  }
  if (role === null || !isRole(role)) throw new Error(`the operator ${id} has a role that does not exist`);
  return {
    actor: { kind: 'operator', id, name, role },
    displayName,
    permissions: permissionsOf(role),
    credential,
    expiresAt,
  };
}
