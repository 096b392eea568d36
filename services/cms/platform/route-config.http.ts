import { PERMISSIONS, type RouteAccess } from '../kernel/permission.ts';

/** What a route declares beside its schema, in `config`. */
export interface RouteDeclaration {
  /** Who may call it. A route without it doesn't start the server. */
  permission: RouteAccess;
  /**
   * The act, as the audit log names it (`card.retired` done is `card.retire` refused: use the same `noun.verb` text as
   * the use case records). Demanded of each unsafe operation: its refusals are recorded under this name.
   */
  act?: string;
  /** The answer shows a secret: never stored, never cached. */
  secretAnswer?: boolean;
  /** Gives an ETag over the answer, and 304 to If-None-Match. Demanded of single GETs by review, not by type. */
  etag?: boolean;
  /** Requests a minute from one address, for routes whose caller is not known or that guess-work would hammer. */
  perMinute?: number;
}

declare module 'fastify' {
  interface FastifyContextConfig extends Partial<RouteDeclaration> {}
}

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
export const isUnsafe = (method: string): boolean => UNSAFE.has(method);

const KNOWN = new Set<string>([...PERMISSIONS, 'public', 'signed-in', 'device', 'device-attesting']);

interface DeclaredRoute {
  readonly method: string | string[];
  readonly url: string;
  readonly config?: Partial<RouteDeclaration> | undefined;
  readonly schema?: { readonly body?: unknown } | undefined;
}

/** Deny by default: called for each route as it is declared, and throws where the declaration is not whole. */
export function demandDeclaration(route: DeclaredRoute): void {
  const name = `${String(route.method)} ${route.url}`;
  const permission = route.config?.permission;
  if (permission === undefined) throw new Error(`${name} declares no permission: set config.permission`);
  if (!KNOWN.has(permission)) throw new Error(`${name} declares the permission "${permission}", which does not exist`);
  const methods = [route.method].flat();
  if (!route.url.startsWith('/api/') || !methods.some(isUnsafe)) return;
  if (route.config?.act === undefined) throw new Error(`${name} changes something and declares no act: set config.act`);
  // Without a schema a body would come in unread: with whatever fields, of whatever size below the limit.
  if (!methods.includes('DELETE') && route.schema?.body === undefined) throw new Error(`${name} declares no body`);
}
