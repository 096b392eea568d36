import type { CertificateOnRecord } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { AnswerDependencies } from './answer-challenge.ts';
import type { SessionDependencies } from './open-session.ts';
import type { UnblockSession } from './session.ts';

/** A device's request that waits, with what the person who approves is shown of it. */
export interface WaitingRequest {
  readonly session: UnblockSession;
  readonly card: { readonly id: string; readonly serial: string; readonly personId: string };
  readonly hostName: string;
  readonly person: { readonly displayName: string };
  /** What the profile of that card says; a card without a profile allows nothing. */
  readonly selfServiceUnblock: boolean;
}

export interface ApprovalNonce {
  readonly nonce: Uint8Array;
  readonly expiresAt: Date;
}

export interface CardApprovals {
  /** Of devices, for cards of that person, not closed: the newest ones. */
  waitingOfPerson(personId: string): Promise<WaitingRequest[]>;
  waiting(sessionId: string): Promise<WaitingRequest | null>;
  /** The one nonce of that session for that card; it replaces an earlier one. */
  put(tx: Tx, sessionId: string, cardId: string, nonce: ApprovalNonce): Promise<void>;
  /** Gives it once: of two at once, one gets null. */
  take(tx: Tx, sessionId: string, cardId: string): Promise<ApprovalNonce | null>;
  /** Nonces that nobody signed in time. Gives how many were forgotten. */
  dropExpired(now: Date): Promise<number>;
}

export interface SelfServicePorts extends SessionDependencies, AnswerDependencies {
  readonly cardApprovals: CardApprovals;
  readonly certificateViews: { find(id: string): Promise<CertificateOnRecord | null> };
  /** Whether the key of a certificate signed that, over its SHA-256. Never throws. */
  readonly signedBy: (der: Uint8Array, statement: Uint8Array, signature: Uint8Array) => boolean;
}
