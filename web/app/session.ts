import { queryOptions, useQuery } from '@tanstack/react-query';
import { answerOf, api } from './api.ts';
import { ApiError } from './api-error.ts';
import type { Permission, Session } from './contract.ts';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () => answerOf(api.GET('/api/v1/session', {})),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** Permissions that decide what the console asks for at all. What is refused is refused by the server. */
export const PERMISSION = {
  readAudit: 'audit:read',
  createPeople: 'people:create',
  readEnrolments: 'enrolments:read',
  createEnrolments: 'enrolments:create',
  readUnblock: 'unblock:read',
  readCards: 'cards:read',
  createProfiles: 'profiles:create',
  readCertificates: 'certificates:read',
  revokeCertificates: 'certificates:revoke',
} as const satisfies Record<string, Permission>;

/** The session of whoever is signed in; undefined on the sign-in page only. */
export function useSession(): Session | undefined {
  return useQuery({ ...sessionQuery, enabled: false }).data;
}

export function useMay(permission: Permission): boolean {
  return useSession()?.permissions.includes(permission) ?? false;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** A path of this console to go back to after sign-in. Anything else (another site, `//host`, `/\host`) becomes `/`. */
export function safeReturnPath(value: unknown): string {
  // Browsers drop tabs and line ends from an address: `/<tab>/host` would be another site.
  return typeof value === 'string' && /^\/(?!\/)[^\\\p{Cc}]*$/u.test(value) && !value.startsWith('/sign-in')
    ? value
    : '/';
}
