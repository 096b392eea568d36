import type { Tx } from '../kernel/unit-of-work.ts';
import type { Person, PersonNames } from './person.ts';

/** A name that is one person's alone. */
export type UniqueName = 'userPrincipalName' | 'securityIdentifier' | 'kerberosPrincipal';

export interface PersonRecords {
  /** False when somebody else has one of their names: `takenName` tells which. */
  insert(tx: Tx, person: Person): Promise<boolean>;
  /** Holds the row until the transaction ends. */
  lock(tx: Tx, personId: string): Promise<Person | null>;
  /** Writes the names, and the version after the one before. @throws DomainError `person-exists` where a race decides. */
  update(tx: Tx, person: Person): Promise<void>;
  /** Which of these names somebody else has. A principal counts as said, or as it follows from a user principal name. */
  takenName(tx: Tx, personId: string, names: PersonNames): Promise<UniqueName | null>;
}

/** From the certificates: what was issued by names that are others now. */
export interface NamedCertificates {
  /** Ids of the person's certificates in force whose names differ from these, oldest first, up to `limit`. */
  withOtherNames(tx: Tx, personId: string, names: PersonNames, now: Date, limit: number): Promise<readonly string[]>;
}

export interface PersonFilters {
  /** Part of the name or of the user principal name. */
  readonly q?: string | undefined;
  readonly userPrincipalName?: string | undefined;
}

export interface PersonViews {
  find(personId: string): Promise<Person | null>;
  /** Newest first, those before the id `after`; up to `limit`. */
  list(filters: PersonFilters, after: string | null, limit: number): Promise<Person[]>;
}
