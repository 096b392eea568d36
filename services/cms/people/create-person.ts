import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import { normalisePrincipalName, type Person } from './person.ts';
import type { PersonRecords } from './ports.ts';

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
}

/** @throws DomainError (conflict) `person-exists`. */
export function createCreatePerson({ people, unitOfWork, audit, runtime }: CreatePersonPorts) {
  return async function createPerson(input: CreatePersonInput, intent: Intent): Promise<Person> {
    const person: Person = {
      id: runtime.newId(),
      displayName: input.displayName.trim(),
      userPrincipalName: normalisePrincipalName(input.userPrincipalName),
      email: input.email ?? null,
      createdAt: runtime.now(),
    };
    await unitOfWork.run(async (tx) => {
      if (!(await people.insert(tx, person))) {
        throw new DomainError(
          'conflict',
          'person-exists',
          'Someone has this user principal name already. Look them up by it.',
        );
      }
      const { id, createdAt: _, ...after } = person;
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
