import type pg from 'pg';
import type { Principal } from '../kernel/permission.ts';
import type { Credentials } from '../platform/authentication.http.ts';
import { isRole, permissionsOf } from './roles.ts';

interface Row {
  kind: 'operator' | 'device';
  id: string;
  name: string;
  display_name: string;
  role: string | null;
  expires_at: Date | null;
}

/** One statement a request, by a unique index. Nothing is cached: what is revoked is revoked at once. */
export function createCredentials(pool: pg.Pool): Credentials {
  async function find(name: string, text: string, tokenHash: Uint8Array, credential: 'session' | 'api-token') {
    const { rows } = await pool.query<Row>({ name, text, values: [tokenHash] });
    const [row] = rows;
    return row === undefined ? null : toPrincipal(row, credential);
  }
  return {
    bearer: (tokenHash) =>
      find(
        'credentials-bearer',
        `SELECT 'operator' AS kind, o.id, o.name, o.display_name, o.role, t.expires_at
          FROM api_tokens t JOIN operators o ON o.id = t.operator_id
          WHERE t.token_hash = $1 AND (t.expires_at IS NULL OR t.expires_at > now()) AND o.disabled_at IS NULL
        UNION ALL
        SELECT 'device', d.id, d.host_name, d.host_name, NULL, NULL FROM devices d WHERE d.token_hash = $1 LIMIT 1`,
        tokenHash,
        'api-token',
      ),
    session: (tokenHash) =>
      find(
        'credentials-session',
        `SELECT 'operator' AS kind, o.id, o.name, o.display_name, o.role, s.expires_at
          FROM operator_sessions s JOIN operators o ON o.id = s.operator_id
          WHERE s.token_hash = $1 AND s.expires_at > now() AND o.disabled_at IS NULL`,
        tokenHash,
        'session',
      ),
  };
}

const NO_PERMISSIONS: ReadonlySet<never> = new Set();

function toPrincipal(row: Row, credential: 'session' | 'api-token'): Principal {
  const { id, name, display_name: displayName, role, expires_at: expiresAt } = row;
  if (row.kind === 'device') {
    return {
      actor: { kind: 'device', id, name },
      displayName,
      permissions: NO_PERMISSIONS,
      credential: 'device-token',
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
