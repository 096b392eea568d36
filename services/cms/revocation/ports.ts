import type { Tx } from '../kernel/unit-of-work.ts';
import type { Hold, HoldAct } from './hold.ts';
import type { LastError, Revocation, RevocationState } from './revocation.ts';

type Unsettled = 'state' | 'confirmedAt' | 'attempts' | 'lastError' | 'nextAttemptAt';

export interface Failure {
  readonly attempts: number;
  readonly error: LastError;
  readonly nextAttemptAt: Date;
}

export interface Revocations {
  /** `nextAttemptAt`: from when on the worker tells the CA, unless somebody did before. */
  insert(tx: Tx, revocation: Omit<Revocation, Unsettled> & { readonly nextAttemptAt: Date }): Promise<void>;
  find(certificateId: string): Promise<Revocation | null>;
  findIn(tx: Tx, certificateId: string): Promise<Revocation | null>;
  confirm(tx: Tx, id: string, revokedAt: Date, confirmedAt: Date): Promise<void>;
  /** Nothing where it was confirmed meanwhile. */
  noteFailure(id: string, failure: Failure): Promise<void>;
}

export interface Holds {
  insert(tx: Tx, hold: Omit<Hold, Unsettled> & { readonly nextAttemptAt: Date }): Promise<void>;
  /** Newest first. */
  ofCertificate(certificateId: string): Promise<Hold[]>;
  /** The one that the CA has not heard of. */
  open(certificateId: string): Promise<Hold | null>;
  openIn(tx: Tx, certificateId: string): Promise<Hold | null>;
  latestIn(tx: Tx, certificateId: string, act: HoldAct): Promise<Hold | null>;
  settle(tx: Tx, id: string, to: { state: 'confirmed'; confirmedAt: Date } | { state: 'superseded' }): Promise<void>;
  noteFailure(id: string, failure: Failure): Promise<void>;
}

/** Something that a CA is to be told. */
export interface Due {
  readonly what: 'revocation' | HoldAct;
  readonly certificateId: string;
  /** Name of the CA. */
  readonly authority: string;
  /** How often the CA was asked in vain. */
  readonly attempts: number;
}

export interface QueueFilters {
  readonly state?: RevocationState | undefined;
  readonly authority?: string | undefined;
}

/** What waits for the CAs. */
export interface RevocationQueue {
  /** Due now, of each CA the longest due ones, up to `perAuthority`. */
  due(now: Date, perAuthority: number): Promise<Due[]>;
  /** The CA is away: what is due of it waits until then. */
  defer(authority: string, now: Date, until: Date): Promise<void>;
  /** The CA is back: what waited for it to be is due. */
  hasten(authority: string, now: Date): Promise<void>;
  /** Newest first, those before the id `after`; up to `limit`. */
  list(filters: QueueFilters, after: string | null, limit: number): Promise<QueuedRevocation[]>;
}

export interface QueuedRevocation extends Revocation {
  readonly authority: string;
  readonly serialNumber: string | null;
  readonly cardId: string;
  readonly personId: string;
}
