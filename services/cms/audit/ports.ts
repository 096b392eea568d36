import type { AuditEvent, Outcome } from './event.ts';

export interface AuditFilters {
  readonly deviceId?: string | undefined;
  readonly personId?: string | undefined;
  readonly cardId?: string | undefined;
  readonly certificateId?: string | undefined;
  readonly enrolmentId?: string | undefined;
  readonly unblockSessionId?: string | undefined;
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  readonly requestId?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

export interface AuditLog {
  /** Newest first, those before the event `before`; up to `limit`. */
  list(filters: AuditFilters, before: string | null, limit: number): Promise<AuditEvent[]>;
}
