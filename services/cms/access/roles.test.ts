import { describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../kernel/permission.ts';
import { permissionsOf, ROLES } from './roles.ts';

describe('roles', () => {
  it('keep duties apart', () => {
    const may = (role: (typeof ROLES)[number]) => permissionsOf(role);
    expect([...may('auditor')].filter((permission) => !permission.endsWith(':read'))).toEqual([]);
    expect(may('helpdesk').has('audit:read')).toBe(false);
    expect(may('helpdesk').has('certificates:revoke')).toBe(false);
    expect(may('security-officer').has('unblock:perform')).toBe(false);
    expect(may('integration').has('certificates:revoke')).toBe(false);
  });

  it('together have every permission: none is for nobody', () => {
    const given = new Set(ROLES.flatMap((role) => [...permissionsOf(role)]));
    expect([...PERMISSIONS].filter((permission) => !given.has(permission))).toEqual([]);
  });
});
