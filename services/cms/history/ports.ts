/** One entry of a certificate's history, as the database noted it. */
export interface CertificateState {
  /** 1, 2, 3 …: a gap would mean that somebody took one away. */
  readonly number: number;
  readonly since: Date;
  readonly status: 'proposed' | 'active' | 'on-hold' | 'revoked' | 'failed';
  /** Of the last decision to revoke, to hold or to release; its reason by the names of RFC 5280 section 5.3.1. */
  readonly decision: {
    readonly state: 'proposed' | 'confirmed' | 'superseded';
    readonly reason: string;
    readonly effectiveAt: Date;
  } | null;
  /** What the audit log says of the change; null for what is older than the history itself. */
  readonly by: {
    readonly eventId: string;
    readonly action: string;
    readonly actor: { readonly kind: string; readonly id: string; readonly name: string };
    readonly requestId: string;
    readonly reason: string | null;
    readonly ticket: string | null;
  } | null;
}

export interface CertificateHistory {
  /** Newest first, those before the number `after`; up to `limit`. Null when there is no such certificate. */
  statesOf(certificateId: string, after: number | null, limit: number): Promise<readonly CertificateState[] | null>;
}

export interface ExpiryCount {
  /** Such as 2027-11. */
  readonly month: string;
  /** Null: of no profile, from the time before there were any. */
  readonly certificateProfile: string | null;
  readonly count: number;
}

/** How many certificates that are in force or on hold end when. Counted as they change, not by looking at them. */
export interface CertificateExpiries {
  /** Oldest first. `from` and `before` are months. */
  counts(from: string, before: string): Promise<readonly ExpiryCount[]>;
  /** Adds up the changes since the last time. @returns how many there were. */
  addUp(): Promise<number>;
}
