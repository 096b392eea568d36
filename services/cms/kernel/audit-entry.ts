import type { Intent } from './actor.ts';
import type { Tx } from './unit-of-work.ts';

/** What a capability says about an act; the audit folder stores it. Values in `before` and `after` are never secrets. */
export interface AuditEntry {
  /** `noun.verb`, for example `unblock.answered`. Stable: auditors filter by it. */
  readonly action: string;
  readonly object: { readonly kind: string; readonly id: string | null };
  readonly about?: {
    readonly personId?: string | null | undefined;
    readonly deviceId?: string | null | undefined;
    readonly cardId?: string | null | undefined;
    readonly certificateId?: string | null | undefined;
    readonly enrolmentId?: string | null | undefined;
    readonly unblockSessionId?: string | null | undefined;
  };
  readonly verification?: { readonly method: string; readonly evidence: string } | null;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** Appends in the transaction of the act itself. */
export interface AuditTrail {
  record(tx: Tx, intent: Intent, entry: AuditEntry): Promise<void>;
}

/** A refusal has no transaction of its own act to share: it is written alone, with the code of the refusal. */
export interface RefusalTrail {
  refused(intent: Intent, entry: AuditEntry, code: string): Promise<void>;
}
