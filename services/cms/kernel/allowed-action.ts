import type { Permission } from './permission.ts';

/** An act that the console may offer on an object, computed from its transition table and the caller's permissions. */
export interface AllowedAction<Name extends string = string> {
  readonly action: Name;
  readonly allowed: boolean;
  /** For a person: why not, when not. */
  readonly disabledReason: string | null;
}

/**
 * @param obstacle why the object's state does not allow the act, or null; told only to those who could do it otherwise
 */
export function offer<Name extends string>(
  action: Name,
  permission: Permission,
  permissions: ReadonlySet<Permission>,
  obstacle: string | null,
): AllowedAction<Name> {
  const disabledReason = permissions.has(permission) ? obstacle : `Your role lacks the permission ${permission}.`;
  return { action, allowed: disabledReason === null, disabledReason };
}
