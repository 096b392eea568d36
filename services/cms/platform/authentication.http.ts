import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import type { FastifyRequest } from 'fastify';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { Principal, RouteAccess } from '../kernel/permission.ts';
import { isUnsafe } from './route-config.http.ts';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null;
  }
}

/** Port: who holds a credential. Only hashes reach the database, so that its reader can't sign in. */
export interface Credentials {
  bearer(tokenHash: Uint8Array): Promise<Principal | null>;
  session(tokenHash: Uint8Array): Promise<Principal | null>;
}

export const hashToken = (token: string): Uint8Array => createHash('sha256').update(token, 'utf8').digest();

/**
 * `__Host-` binds the cookie to this host, to https and to the path / (RFC 6265bis section 4.1.3.2). Browsers refuse it
 * over plain http, where a local trial runs.
 */
export const cookieName = (secure: boolean): string => (secure ? '__Host-cardwright' : 'cardwright');

export interface AuthenticationOptions {
  readonly credentials: Credentials;
  readonly publicUrl: string;
  readonly cookieSecure: boolean;
}

export function createAuthentication(options: AuthenticationOptions) {
  const origin = new URL(options.publicUrl).origin;
  const cookie = cookieName(options.cookieSecure);

  /** Establishes who asks, and whether they may. Runs before the body is read: what is not allowed costs nothing. */
  return async function authenticate(request: FastifyRequest): Promise<void> {
    const access = request.routeOptions.config.permission;
    // Not a declared route at all: the not-found answer. A declared route without a permission never started.
    if (access === undefined || access === 'public') return;
    request.principal = await principalOf(request);
    demand(request.principal, access);
  };

  async function principalOf(request: FastifyRequest): Promise<Principal> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = /^Bearer ([A-Za-z0-9._~+/=-]{20,512})$/i.exec(authorization)?.[1];
      const principal = token === undefined ? null : await options.credentials.bearer(hashToken(token));
      if (principal === null)
        throw new DomainError('unauthenticated', 'token-invalid', 'The bearer token is unknown, expired or revoked.');
      return principal;
    }
    const session = request.cookies[cookie];
    if (session !== undefined && session.length <= 512) {
      const principal = await options.credentials.session(hashToken(session));
      if (principal !== null) {
        if (isUnsafe(request.method)) demandSameOrigin(request, origin, 'strict');
        return principal;
      }
    }
    throw new DomainError('unauthenticated', 'sign-in-required', 'Sign in, or send a bearer token.');
  }
}

function demand(principal: Principal, access: RouteAccess): void {
  const isDevice = principal.actor.kind === 'device';
  if (access === 'device' || access === 'device-attesting') {
    if (!isDevice) throw missing('This operation is for enrolled devices, with their own token.');
    if (access === 'device' && principal.credential === 'superseded-device-token') throw assertionRequired(principal);
    return;
  }
  if (access === 'signed-in') {
    if (isDevice) throw missing('This operation is for operators.');
    return;
  }
  if (access !== 'public' && !principal.permissions.has(access))
    throw missing(`This needs the permission ${access}.`, access);
}

/** A token that could be copied from the disk counts no more once the TPM itself can speak for the device. */
function assertionRequired({ actor }: Principal): DomainError {
  const detail =
    'This device was attested: it signs in with an assertion of its attestation key, at /api/v1/agent/tokens.';
  return new DomainError('unauthenticated', 'assertion-required', detail, { data: { deviceId: actor.id } });
}

const missing = (detail: string, permission?: string): DomainError =>
  new DomainError('forbidden', 'permission-missing', detail, permission === undefined ? {} : { data: { permission } });

/**
 * A browser sends the cookie by itself, so the request must also come from our own pages. Sec-Fetch-Site is the
 * browser's own word (Fetch Metadata), Origin the older one (RFC 6454). `strict`: one of them must be there;
 * `lenient`: for sign-in, where a program without either has no cookie that could be abused.
 */
export function demandSameOrigin(request: FastifyRequest, origin: string, mode: 'strict' | 'lenient'): void {
  const site = request.headers['sec-fetch-site'];
  const from = request.headers.origin;
  const refused =
    (site !== undefined && site !== 'same-origin') ||
    (site === undefined && from !== undefined && from !== origin) ||
    (mode === 'strict' && site === undefined && from === undefined);
  if (refused) {
    throw new DomainError(
      'forbidden',
      'origin-refused',
      'A change by cookie must come from the pages of this server itself.',
    );
  }
}

const NOBODY: Actor = { kind: 'anonymous', id: 'anonymous', name: 'anonymous' };

/** Who acts in this request, why, and by which request: what each use case wants. */
export function intentOf(
  request: FastifyRequest,
  why: { reason?: string | undefined; ticket?: string | undefined } = {},
): Intent {
  return { actor: request.principal?.actor ?? NOBODY, requestId: request.id, reason: why.reason, ticket: why.ticket };
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error('this route is public: it has no caller');
  return request.principal;
}
