import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Permission } from '../kernel/permission.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { ACCOUNT_NAMES, normalisePrincipalName, type Person } from './person.ts';
import type { PersonRecords } from './ports.ts';
import { nameTaken } from './taken-name.ts';

export interface CreatePersonPorts {
  readonly people: PersonRecords;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export interface CreatePersonInput {
  readonly displayName: string;
  readonly userPrincipalName: string;
  readonly email?: string | undefined;
  readonly organization?: string | undefined;
  readonly securityIdentifier?: string | undefined;
  readonly kerberosPrincipal?: string | undefined;
}

/**
 * @throws DomainError (conflict) `person-exists`, `security-identifier-taken`, `kerberos-principal-taken`;
 *   `permission-missing` (forbidden) for a name of an account by one who may enter people and not change them.
 */
export function createCreatePerson({ people, unitOfWork, audit, runtime }: CreatePersonPorts) {
  return async function createPerson(
    input: CreatePersonInput,
    intent: Intent,
    permissions: ReadonlySet<Permission>,
  ): Promise<Person> {
    demandAccountNames(input, permissions);
    const person: Person = {
      id: runtime.newId(),
      displayName: input.displayName.trim(),
      userPrincipalName: normalisePrincipalName(input.userPrincipalName),
      email: input.email ?? null,
      organization: input.organization?.trim().normalize('NFC') ?? null,
      securityIdentifier: input.securityIdentifier ?? null,
      kerberosPrincipal: input.kerberosPrincipal ?? null,
      version: 1,
      createdAt: runtime.now(),
    };
    await unitOfWork.run(async (tx) => {
      if (!(await people.insert(tx, person))) {
        throw nameTaken((await people.takenName(tx, person.id, person)) ?? 'userPrincipalName');
      }
      const { id, createdAt: _at, version: _version, ...after } = person;
      await audit.record(tx, intent, {
        action: 'person.created',
        object: { kind: 'person', id },
        about: { personId: id },
        after,
      });
    });
    return person;
  };
}

/** Servers take a certificate for the account that these names say: they are not for everybody who may enter a person. */
function demandAccountNames(input: CreatePersonInput, permissions: ReadonlySet<Permission>): void {
  if (permissions.has('people:update')) return;
  const given = ACCOUNT_NAMES.find((name) => input[name] !== undefined);
  if (given === undefined) return;
  const detail = `Your role lacks the permission people:update, which ${given} needs: it says whose account a certificate opens.`;
  throw new DomainError('forbidden', 'permission-missing', detail);
}
