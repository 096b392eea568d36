import type { Actor, Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { SessionState, UnblockSession, Verification } from './session.ts';

/** What an answer needs of the card. */
export interface UnblockCard {
  readonly id: string;
  readonly serial: string;
  readonly personId: string;
  readonly deviceId: string | null;
  readonly kind: 'tpm' | 'minidriver';
  readonly algorithm: string;
  readonly challengeMode: 'ecb' | 'cbc';
  readonly keyVersion: number | null;
  readonly takeOverPending: boolean;
  readonly keyStrategy: string;
  readonly hasPuk: boolean;
  readonly nvIndex: number | null;
  readonly state: string;
}

export interface NewSession {
  readonly id: string;
  readonly cardId: string;
  readonly origin: 'operator' | 'device';
  readonly state: 'requested' | 'open';
  readonly confirmationCode: string | null;
  readonly challenge: string | null;
  readonly verification: Verification | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly openedBy: { readonly id: string; readonly name: string } | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface SessionChange {
  readonly state: SessionState;
  readonly verification?: Verification;
  readonly reason?: string;
  readonly ticket?: string | null;
  /** Null: no operator, but the person with another card. */
  readonly openedBy?: { readonly id: string; readonly name: string } | null;
  readonly closedAt?: Date;
  /** Forgets the response that was kept for the device. */
  readonly dropResponse?: boolean;
}

export interface SessionFilters {
  readonly cardId?: string | undefined;
  readonly state?: SessionState | 'expired' | undefined;
}

/** Sessions with the card they are about: what it can be read from is always the card's record of this moment. */
export interface SessionWithCard {
  readonly session: UnblockSession;
  readonly card: UnblockCard;
}

export interface UnblockSessions {
  findCard(cardId: string): Promise<UnblockCard | null>;
  find(id: string): Promise<SessionWithCard | null>;
  insert(tx: Tx, session: NewSession): Promise<void>;
  lock(tx: Tx, id: string): Promise<UnblockSession | null>;
  change(tx: Tx, id: string, change: SessionChange): Promise<void>;
  /** One more. Gives how many there were in all. */
  countWrongCode(tx: Tx, id: string): Promise<number>;
  /** Requests of the card's device that nobody has answered; holds the rows. */
  lockRequestsOfCard(tx: Tx, cardId: string): Promise<UnblockSession[]>;
  list(filters: SessionFilters, now: Date, after: string | null, limit: number): Promise<SessionWithCard[]>;
  /** What the device may fetch. */
  responseFor(id: string): Promise<string | null>;
  /** Device sessions that an operator approved and that got no answer, oldest first. */
  approvedUnanswered(now: Date, before: Date, limit: number): Promise<string[]>;
  /** Responses that nobody collected in time. Gives how many were forgotten. */
  dropExpiredResponses(now: Date): Promise<number>;
}

export interface Answering {
  readonly session: UnblockSession;
  readonly card: UnblockCard;
  readonly challengeHash: Uint8Array;
}

export type FinishOutcome = 'answered' | 'not-open' | 'challenge-already-answered';

/** The statements of an answer: one round trip each. */
export interface AnswerRecords {
  find(id: string): Promise<SessionWithCard | null>;
  /**
   * Intent: the vault is going to be asked for this challenge. Changes nothing of the session: nobody has been given
   * anything. False, and nothing recorded, when the challenge of this card has been answered before.
   */
  intend(intent: Intent, answering: Answering): Promise<boolean>;
  /**
   * Outcome: the one answer of the session and of the challenge, with its audit event or not at all. Anything but
   * `answered` says that another answer, or the clock, came first: then nothing may be given out. `response` is kept
   * only for a device that is to fetch it.
   */
  finish(intent: Intent, answering: Answering, response: string | null, now: Date): Promise<FinishOutcome>;
}

interface Asked {
  readonly requestedBy: string;
  readonly requestId: string;
}

/** What an answer needs of the vault. VaultClient has it. */
export interface ChallengeAnswers {
  resetTpmCard(
    params: Asked & {
      cardId: string;
      keyVersion: number;
      nvIndex: number;
      resetNonce: Uint8Array;
      writeNonce: Uint8Array;
    },
  ): Promise<{ readonly resetAnswer: Uint8Array; readonly writeAnswer: Uint8Array }>;
  answerChallenge(
    params: Asked & { cardId: string; keyVersion: number; challenge: Uint8Array; mode: 'ecb' | 'cbc' },
  ): Promise<{ readonly response: Uint8Array }>;
}

export type OperatorIntent = Intent & { readonly actor: Extract<Actor, { kind: 'operator' }> };
export type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };
