import type { Actor } from './actor.ts';

/** What may be done, one word pair an ability. Which role has which is decided in access/roles.ts. */
export const PERMISSIONS = [
  'people:read',
  'people:create',
  'people:update',
  'devices:read',
  'devices:message',
  'cards:read',
  'cards:register',
  'cards:retire',
  'keys:change',
  'puk:show',
  'named-keys:manage',
  'profiles:create',
  'enrolments:read',
  'enrolments:create',
  'enrolments:cancel',
  'unblock:read',
  'unblock:perform',
  'certificates:read',
  'certificates:revoke',
  'audit:read',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * What a route asks of its caller. `public`: nobody is asked who they are. `signed-in`: any operator or integration.
 * `device`: an enrolled device, by its own token, or once it was attested by what its TPM's key signed, and nobody else.
 * `device-attesting`: the same, but the token of an attested device will do: it is to prove its TPM anew.
 */
export type RouteAccess = Permission | 'public' | 'signed-in' | 'device' | 'device-attesting';

/** A caller who was recognised, and what they may do. */
export interface Principal {
  readonly actor: Extract<Actor, { kind: 'operator' | 'device' }>;
  readonly displayName: string;
  readonly permissions: ReadonlySet<Permission>;
  /** How they proved it. A `session` came by cookie, and so needs the cross-site checks. */
  readonly credential: 'session' | 'api-token' | 'device-token' | 'superseded-device-token' | 'device-assertion';
  readonly expiresAt: Date | null;
}
