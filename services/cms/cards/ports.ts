import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Algorithm, Card, CardView, ChallengeMode } from './card.ts';
import type { CardState } from './state.ts';

export type NewCard = Omit<Card, 'createdAt' | 'stateChangedAt'> & { readonly createdAt: Date };

export interface CardChange {
  readonly triesLeft?: number;
  readonly keyVersion?: number;
  readonly nvIndex?: number;
}

export interface CardRecords {
  /** The card as stored now, held until the transaction ends, so that no one else moves it meanwhile. */
  lock(tx: Tx, cardId: string): Promise<Card | null>;
  /** @throws DomainError (conflict) `card-already-active`: the person has a live card on the device; `card-serial-taken`. */
  insert(tx: Tx, card: NewCard): Promise<void>;
  /** `at` becomes stateChangedAt where the state differs from the one before. */
  setState(tx: Tx, cardId: string, state: CardState, at: Date, change?: CardChange): Promise<void>;
}

export interface CardFilters {
  readonly q?: string | undefined;
  readonly personId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly state?: CardState | undefined;
}

export interface CardViews {
  find(cardId: string): Promise<CardView | null>;
  /** Newest first, those before the id `after`; up to `limit`. */
  list(filters: CardFilters, after: string | null, limit: number): Promise<CardView[]>;
}

/** What registering and retiring need of the vault. */
export interface KeyImport {
  importKeyFor(
    card: { cardId: string; cardSerial: string; algorithm: Algorithm; jwe: string },
    intent: Intent,
  ): Promise<{ keyVersion: number }>;
  publicKey(intent: Intent): Promise<{ jwk: Readonly<Record<string, unknown>> }>;
}

/** From the revocation capability: all that is active or under way on the card, then on the CA, each recorded. */
export interface CertificateRevoker {
  revokeCertificates(
    of: { cardId: string; reason: 'cessationOfOperation' | 'superseded' | 'keyCompromise'; comment: string },
    intent: Intent,
  ): Promise<void>;
}

export interface RegisterCardInput {
  readonly personId: string;
  readonly deviceId?: string | undefined;
  readonly serial: string;
  readonly algorithm: Algorithm;
  readonly challengeMode?: ChallengeMode | undefined;
  /** JWE, sealed to the vault's import key. */
  readonly administratorKey: string;
}
