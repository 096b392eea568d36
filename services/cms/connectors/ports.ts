import type { AuthorityDescription, IssuanceRequest } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { PinnedChain } from './judge-answer.ts';

/** What a connector itself does: it speaks to one CA. Who calls it records, judges and repeats. */
export interface CaConnector {
  readonly description: AuthorityDescription;
  readonly pinned: PinnedChain;
  /** So long a caller waits for a certificate. */
  readonly answerWithinMillis: number;
  /** So long the question is kept open for a late answer. */
  readonly giveUpAfterMillis: number;
  /**
   * What this CA can't put into a certificate, before it is asked: a certificate without it would be another one.
   * @throws DomainError (unprocessable).
   */
  demandExpressible(request: IssuanceRequest): void;
  /**
   * Asks once. Gives every certificate of the answer, in any order.
   * @throws DomainError `ca-refused` (unprocessable), `ca-answer-…` (internal), `ca-unavailable`; a {@link NotAsked} when
   *   it is certain that the CA has not heard the question.
   */
  enrol(request: IssuanceRequest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** Absent where a person has to do it. Repeatable. @throws DomainError `ca-unavailable`, `ca-refused`; NotAsked. */
  readonly revoke?: (certificate: RevokedAtCa) => Promise<void>;
  /** @throws DomainError `ca-unavailable`. */
  probe(): Promise<void>;
  readonly list?: (since: Date, limit: number) => Promise<readonly { certificate: Uint8Array; revoked: boolean }[]>;
  readonly crl?: () => Promise<Uint8Array>;
  close?(): Promise<void>;
}

export interface RevokedAtCa {
  /** DER */
  readonly certificate: Uint8Array;
  /** Lower-case hex, without a leading 00. */
  readonly serialNumber: string;
  /** Name of RFC 5280 section 5.3.1. */
  readonly reason: string;
  readonly revokedAt: Date;
  readonly invalidityDate: Date | undefined;
}

/**
 * received: stored, not judged yet. chosen: the certificate of its request. unwanted: to be revoked. revoked: was
 * unwanted. Nothing else becomes of a certificate that the CA gave.
 */
export type AnswerState = 'received' | 'chosen' | 'unwanted' | 'revoked';

export interface Answer {
  readonly id: string;
  readonly authority: string;
  readonly requestId: string;
  readonly certificate: Uint8Array;
  readonly serialNumber: string;
  readonly state: AnswerState;
  readonly receivedAt: Date;
  /** When a person revoked it at the CA, and said so. */
  readonly revokedByHandAt: Date | null;
}

export interface Attempt {
  readonly id: string;
  readonly authority: string;
  readonly requestId: string;
  readonly startedAt: Date;
  readonly givesUpAt: Date;
}

/** What has become of the attempts of one request. */
export interface AttemptHistory {
  /** One whose time is not over and whose end nobody recorded. */
  readonly open: boolean;
  /** Of those whose outcome nobody knows: the CA may have issued. */
  readonly unknown: number;
  readonly lastStartedAt: Date | null;
  /** Certificates that came and were not what was asked for, and answers without any. */
  readonly wrong: number;
}

/** Who a request is about, for the audit log. */
export interface RequestedFor {
  readonly certificateId: string;
  readonly cardId: string;
  readonly deviceId: string;
  readonly personId: string;
  readonly enrolmentId: string | null;
}

export interface AttemptRecords {
  /** Holds the request until the transaction ends, in whatever process somebody else wants it. */
  lockRequest(tx: Tx, authority: string, requestId: string): Promise<void>;
  history(tx: Tx, authority: string, requestId: string, now: Date): Promise<AttemptHistory>;
  begin(tx: Tx, attempt: Attempt): Promise<void>;
  /** @param code `answered`, `not-asked`, or the code of what came instead; a second end is not recorded */
  end(attemptId: string, code: string, endedAt: Date): Promise<void>;
  /** One certificate has one row, however often it comes. Gives the rows that are of this request. */
  receive(
    attempt: Pick<Attempt, 'id' | 'authority' | 'requestId'>,
    certificates: readonly Received[],
    now: Date,
  ): Promise<Answer[]>;
  ofRequest(tx: Tx, authority: string, requestId: string): Promise<Answer[]>;
  chosen(authority: string, requestId: string): Promise<Answer | null>;
  bySerial(authority: string, serialNumber: string): Promise<Answer | null>;
  judge(tx: Tx, answerId: string, state: 'chosen' | 'unwanted', code: string | null, now: Date): Promise<void>;
  requestedFor(tx: Tx, requestId: string): Promise<RequestedFor | null>;
  /** Oldest first. */
  unwanted(authority: string, now: Date, limit: number): Promise<Answer[]>;
  /** Of an unwanted one, or by hand of any. False: it was so before. @param byHandOf the operator's id; null: we told the CA */
  revoked(tx: Tx, answerId: string, now: Date, byHandOf: string | null): Promise<boolean>;
}

export interface Received {
  readonly id: string;
  readonly serialNumber: string;
  readonly certificate: Uint8Array;
}

/** How each CA was found, shared by all processes. */
export interface AuthorityStates {
  /** Since when it is so is kept: only a change, or another error, sets it. */
  note(name: string, state: 'up' | 'down', code: string | null, detail: string | null, now: Date): Promise<void>;
  all(): Promise<AuthorityState[]>;
  /** What waits for each CA, by name. */
  pending(): Promise<ReadonlyMap<string, PendingWork>>;
}

export interface AuthorityState {
  readonly name: string;
  readonly state: 'up' | 'down';
  readonly since: Date;
  readonly checkedAt: Date;
  readonly code: string | null;
  readonly detail: string | null;
}

export interface PendingWork {
  readonly certificates: number;
  readonly revocations: number;
  readonly unwanted: number;
}
