import type { Tx } from '../kernel/unit-of-work.ts';
import type { Facts, Subject } from './act.ts';

/** What there is to an act. */
export interface LifeCycleFacts {
  /** Null when the subject is not there. */
  read(subject: Subject, now: Date): Promise<Facts | null>;
  /** The same, held until the transaction ends: enrolments before cards, as everywhere. */
  lock(tx: Tx, subject: Subject, now: Date): Promise<Facts | null>;
}
