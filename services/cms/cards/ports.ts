import type { ContainerRule } from '../certificate-profiles/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Algorithm, Card, CardView, ChallengeMode, ImportableAlgorithm, KeyStrategy } from './card.ts';
import type { EnrolmentRules } from './enrolment-methods.ts';
import type { CardState } from './state.ts';

export type NewCard = Omit<Card, 'createdAt' | 'stateChangedAt' | 'keySetAt'> & { readonly createdAt: Date };

export interface CardChange {
  readonly triesLeft?: number;
  readonly keyVersion?: number;
  readonly nvIndex?: number;
  readonly keyStrategy?: KeyStrategy;
  readonly namedKey?: null;
  readonly takeOverPending?: false;
}

export interface CardRecords {
  /** The card as stored now, held until the transaction ends, so that no one else moves it meanwhile. */
  lock(tx: Tx, cardId: string): Promise<Card | null>;
  /** The same, by the serial. */
  lockBySerial(tx: Tx, serial: string): Promise<Card | null>;
  /** @throws DomainError (conflict) `card-serial-taken`; `card-already-active`: the person has a live card on the device. */
  insert(tx: Tx, card: NewCard): Promise<void>;
  /** Only of a card whose registration was refused: no other record knows it yet. */
  remove(tx: Tx, cardId: string): Promise<void>;
  /** Ids of registrations that began before `before` and are not through, oldest first. */
  registrationsBegunBefore(before: Date, limit: number): Promise<string[]>;
  /** `at` becomes stateChangedAt where the state differs from the one before. */
  setState(tx: Tx, cardId: string, state: CardState, at: Date, change?: CardChange): Promise<void>;
}

/** What ends with a card, said by who began it; in the transaction that retires or destroys the card. */
export type CardEnding = (tx: Tx, intent: Intent, card: Card, act: 'retire' | 'destroy') => Promise<void>;

/** From the capability that changes keys: a card whose key others know is to get its own. In the transaction that takes it in. */
export type BeginTakeOver = (tx: Tx, intent: Intent, card: Card) => Promise<void>;

export interface CardFilters {
  readonly q?: string | undefined;
  readonly personId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly state?: CardState | undefined;
  readonly keyStrategy?: KeyStrategy | undefined;
  readonly namedKey?: string | undefined;
}

export interface CardViews {
  find(cardId: string): Promise<CardView | null>;
  /** Newest first, those before the id `after`; up to `limit`. */
  list(filters: CardFilters, after: string | null, limit: number): Promise<CardView[]>;
}

export const DERIVATIONS = ['an10922', 'dogtag'] as const;
export type Derivation = (typeof DERIVATIONS)[number];

/** Where the key of a card is to be had from that is not given itself. */
export type KeyOrigin =
  | { readonly strategy: 'uniform'; readonly keyName: string }
  | {
      readonly strategy: 'deterministic';
      readonly derivation: Derivation;
      readonly keyName: string;
      readonly diversifier: Uint8Array;
    };

/** Stored together with the key, or neither is. */
export interface SealedPuk {
  readonly cardSerial: string;
  readonly jwe: string;
}

/** What registering needs of the vault. */
export interface KeyImport {
  importKeyFor(
    card: {
      cardId: string;
      cardSerial: string;
      algorithm: ImportableAlgorithm;
      jwe: string;
      takeOver: boolean;
      puk?: SealedPuk;
    },
    intent: Intent,
  ): Promise<{ readonly keyVersion: number }>;
  /** Of a card whose key is a named key, or follows from one. */
  adoptKeyFor(
    card: { cardId: string; algorithm: ImportableAlgorithm; origin: KeyOrigin; kcv?: string; puk?: SealedPuk },
    intent: Intent,
  ): Promise<{ readonly keyVersion: number }>;
  /** Of a card whose key the vault does not have. */
  importPukFor(card: { cardId: string; cardSerial: string; jwe: string }, intent: Intent): Promise<void>;
  /** Null while the vault has no key of the card. */
  versionOf(cardId: string, intent: Intent): Promise<number | null>;
  /** RFC 7517: what administrator keys are sealed to. */
  publicKey(): Promise<Readonly<Record<string, unknown>>>;
}

export interface CardProfileView extends EnrolmentRules {
  readonly name: string;
  readonly displayName: string;
  readonly kind: 'tpm' | 'minidriver';
  readonly algorithm: Algorithm;
  readonly challengeMode: ChallengeMode;
  readonly keyStrategy: KeyStrategy;
  /** In the vault: the uniform key, or the master of a fleet from elsewhere. */
  readonly namedKey: string | null;
  readonly derivation: Derivation | null;
  readonly puk: 'none' | 'optional' | 'required';
  readonly pinLimit: number;
  readonly pinPolicy: Readonly<Record<string, string | number | boolean>>;
  /** Keys that are older are changed. Null: none is, by its age. */
  readonly keyRotationDays: number | null;
  /** Whether a device is to prove its TPM before a card is made in it. */
  readonly attestation: 'required' | 'preferred' | 'off';
  /** Whether its holder may approve an unblock with another card. */
  readonly selfServiceUnblock: boolean;
  readonly containers: ContainerRule[];
  /** Counts the changes. */
  readonly version: number;
}

export interface ProfileViews {
  /** All, by name. */
  list(): Promise<CardProfileView[]>;
  find(name: string): Promise<CardProfileView | null>;
}

export interface CardProfiles {
  /** @returns false when there is one of that name. */
  insert(tx: Tx, profile: CardProfileView): Promise<boolean>;
  /** Holds the row until the transaction ends. */
  lock(tx: Tx, name: string): Promise<CardProfileView | null>;
  /** Writes what may change of it, and its version. */
  update(tx: Tx, profile: CardProfileView): Promise<void>;
  /** @returns what it was before; undefined when there is no such profile. */
  setKeyRotation(tx: Tx, name: string, days: number | null): Promise<number | null | undefined>;
}

/** From the revocation capability: decided in the card's own transaction, told to the CA after it. */
export interface CertificateRevoker {
  /** Every certificate of the card that counts or may still come to. Gives their ids. */
  proposeForCard(
    tx: Tx,
    intent: Intent,
    cardId: string,
    why: { readonly reason: 'cessationOfOperation'; readonly comment: string },
  ): Promise<readonly string[]>;
  /** Never throws for a CA that is away: the revocations stay proposed. */
  confirmAll(intent: Intent, certificateIds: readonly string[]): Promise<void>;
}

/** Whether the person and the device are known: each refusal names its own field. */
export interface CardOwners {
  personExists(personId: string): Promise<boolean>;
  deviceExists(deviceId: string): Promise<boolean>;
}

export interface RegisterCardInput {
  readonly personId: string;
  readonly deviceId?: string | undefined;
  readonly serial: string;
  /** Of a profile: says strategy, algorithm and mode. Without: the key is given, and stored. */
  readonly cardProfile?: string | undefined;
  readonly algorithm?: ImportableAlgorithm | undefined;
  readonly challengeMode?: ChallengeMode | undefined;
  /** JWE, sealed to the vault's import key. */
  readonly administratorKey?: string | undefined;
  /** Hex; of cards whose key follows from the master of a fleet. */
  readonly diversifier?: string | undefined;
  /** 6 hex digits; where it is known, another key is refused. */
  readonly keyCheckValue?: string | undefined;
  /** JWE. */
  readonly puk?: string | undefined;
  /** The key is known to others: the card is not in use until its device has changed it. */
  readonly takeOver?: boolean | undefined;
}
