import type { Tx } from '../kernel/unit-of-work.ts';
import type { Person } from './person.ts';

export interface PersonRecords {
  /** False when someone has this user principal name already. */
  insert(tx: Tx, person: Person): Promise<boolean>;
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
