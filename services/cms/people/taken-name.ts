import { DomainError } from '@cardwright/protocol';
import type { UniqueName } from './ports.ts';

const REFUSALS: Readonly<Record<UniqueName, readonly [code: string, detail: string]>> = {
  userPrincipalName: ['person-exists', 'Someone has this user principal name already. Look them up by it.'],
  securityIdentifier: ['security-identifier-taken', "Someone has this SID already: an account is one person's."],
  kerberosPrincipal: [
    'kerberos-principal-taken',
    "Someone has this Kerberos principal already, or it follows from their user principal name: an account is one person's.",
  ],
};

/** Of kind `conflict`: `person-exists`, `security-identifier-taken`, `kerberos-principal-taken`. */
export function nameTaken(name: UniqueName): DomainError {
  const [code, detail] = REFUSALS[name];
  return new DomainError('conflict', code, detail, { fields: [{ pointer: `/${name}`, detail }] });
}
