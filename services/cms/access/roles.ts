import type { Role } from '../kernel/actor.ts';
import type { Permission } from '../kernel/permission.ts';

const READ: readonly Permission[] = [
  'people:read',
  'devices:read',
  'cards:read',
  'enrolments:read',
  'unblock:read',
  'certificates:read',
];

/**
 * Who may do what. Duties are kept apart: who reads the log changes nothing, the helpdesk can't revoke or retire, and
 * the security officer can't answer a challenge.
 */
const PERMISSIONS_OF: Readonly<Record<Role, readonly Permission[]>> = {
  helpdesk: [...READ, 'devices:message', 'people:create', 'enrolments:create', 'enrolments:cancel', 'unblock:perform'],
  'security-officer': [
    ...READ,
    'devices:message',
    'people:create',
    'people:update',
    'enrolments:create',
    'enrolments:cancel',
    'cards:register',
    'cards:retire',
    'keys:change',
    'puk:show',
    'named-keys:manage',
    'profiles:create',
    'certificates:revoke',
    'audit:read',
  ],
  auditor: [...READ, 'audit:read'],
  /** Another system: a service desk that resets PINs, a directory that enrols, a monitor that reads. */
  integration: [...READ, 'people:create', 'enrolments:create', 'enrolments:cancel', 'unblock:perform', 'audit:read'],
};

export const ROLES = ['helpdesk', 'security-officer', 'auditor', 'integration'] as const satisfies readonly Role[];

export const isRole = (text: string): text is Role => ROLES.some((role) => role === text);

export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return new Set(PERMISSIONS_OF[role]);
}
