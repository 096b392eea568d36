import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import { demandVersion, type ExpectedVersion } from '../kernel/expected-version.ts';
import type { CreatePersonPorts } from './create-person.ts';
import { normalisePrincipalName, type Person, type PersonNames } from './person.ts';
import type { NamedCertificates } from './ports.ts';
import { nameTaken } from './taken-name.ts';

export interface ChangePersonPorts extends CreatePersonPorts {
  readonly namedCertificates: NamedCertificates;
}

/** What is left out stays; null takes a name away. */
export type PersonChange = { readonly [Name in keyof PersonNames]?: PersonNames[Name] | undefined };

export interface ChangedPerson {
  readonly person: Person;
  /** Certificates in force that say another name: they stay as they are until somebody reissues them. */
  readonly certificatesWithOtherNames: readonly string[];
}

/** A person has a card or a few: more certificates than this are not told of. */
const MAX_TOLD = 200;

/**
 * Writes what the directory says of a person now. Nothing that was issued changes by it.
 * @throws DomainError `not-found`, `etag-stale`; `person-exists`, `security-identifier-taken`, `kerberos-principal-taken`
 *   (conflict).
 */
export function createChangePerson(ports: ChangePersonPorts) {
  const { people, namedCertificates, unitOfWork, audit, runtime } = ports;
  return async function changePerson(
    personId: string,
    change: PersonChange,
    expected: ExpectedVersion,
    intent: Intent,
  ): Promise<ChangedPerson> {
    return await unitOfWork.run(async (tx) => {
      const before = await people.lock(tx, personId);
      if (before === null) throw new DomainError('not-found', 'not-found', 'There is no such person.');
      demandVersion(expected, before.version);
      const person: Person = { ...before, ...given(change), version: before.version + 1 };
      const differing = NAMES.filter((name) => person[name] !== before[name]);
      const taken = await people.takenName(tx, personId, person);
      if (taken !== null) throw nameTaken(taken);
      if (differing.length > 0) {
        await people.update(tx, { ...person, version: before.version });
        await audit.record(tx, intent, {
          action: 'person.updated',
          object: { kind: 'person', id: personId },
          about: { personId },
          before: pick(before, differing),
          after: pick(person, differing),
        });
      }
      const certificates = await namedCertificates.withOtherNames(tx, personId, person, runtime.now(), MAX_TOLD);
      return { person: differing.length > 0 ? person : before, certificatesWithOtherNames: certificates };
    });
  };
}

const NAMES = [
  'displayName',
  'userPrincipalName',
  'email',
  'organization',
  'securityIdentifier',
  'kerberosPrincipal',
] as const satisfies readonly (keyof PersonNames)[];

/** As they are kept: see createPerson. */
function given(change: PersonChange): Partial<PersonNames> {
  const { displayName, userPrincipalName, organization, ...others } = change;
  const named = Object.entries(others).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(named),
    ...(displayName === undefined ? {} : { displayName: displayName.trim() }),
    ...(userPrincipalName === undefined ? {} : { userPrincipalName: normalisePrincipalName(userPrincipalName) }),
    ...(organization === undefined ? {} : { organization: organization?.trim().normalize('NFC') ?? null }),
  };
}

const pick = (person: Person, names: readonly (typeof NAMES)[number][]) =>
  Object.fromEntries(names.map((name) => [name, person[name]]));
