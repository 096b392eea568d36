import type { AttestationPolicy } from '../attestation/index.ts';
import type { ContainerRule } from '../certificate-profiles/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { ClaimedEnrolment, Enrolment, EnrolmentState } from './enrolment.ts';

export interface NewEnrolment {
  readonly id: string;
  readonly personId: string;
  readonly profileName: string;
  readonly replacesCardId: string | null;
  readonly codeHash: Uint8Array;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly createdBy: { readonly id: string; readonly name: string };
}

export interface EnrolmentFilters {
  readonly personId?: string | undefined;
  readonly state?: EnrolmentState | 'expired' | undefined;
}

export interface Enrolments {
  insert(tx: Tx, enrolment: NewEnrolment): Promise<void>;
  find(id: string): Promise<Enrolment | null>;
  /** Both hold the row until the transaction ends: of two claims or steps at once, one waits for the other. */
  lock(tx: Tx, id: string): Promise<Enrolment | null>;
  lockByCode(tx: Tx, codeHash: Uint8Array): Promise<Enrolment | null>;
  setClaimed(tx: Tx, id: string, deviceId: string, cardId: string): Promise<void>;
  setCompleted(tx: Tx, id: string, at: Date): Promise<void>;
  setCancelled(tx: Tx, id: string): Promise<void>;
  /** The reissue of a card that was not cancelled, finished or not; holds the row. There is one at most. */
  lockReissueOf(tx: Tx, cardId: string): Promise<Enrolment | null>;
  list(filters: EnrolmentFilters, now: Date, after: string | null, limit: number): Promise<Enrolment[]>;
  personExists(personId: string): Promise<boolean>;
  profile(name: string): Promise<EnrolmentProfile | null>;
  /** Whether the person has a card in use on the device. */
  hasCardInUse(tx: Tx, personId: string, deviceId: string): Promise<boolean>;
  /** Other enrolments of the person that the device claimed and did not finish; holds the rows. */
  lockUnfinished(tx: Tx, personId: string, deviceId: string): Promise<ClaimedEnrolment[]>;
  /** What the device is told of the person and the card. */
  claimOf(enrolmentId: string): Promise<ClaimFacts | null>;
}

export interface EnrolmentProfile {
  readonly name: string;
  readonly keyStrategy: 'random-not-stored' | 'random-stored' | 'deterministic';
  readonly pinLimit: number;
  readonly pinPolicy: Readonly<Record<string, unknown>>;
  readonly containers: readonly ContainerRule[];
  readonly attestation: AttestationPolicy;
}

export interface ClaimFacts {
  readonly cardSerial: string;
  readonly person: { readonly displayName: string; readonly userPrincipalName: string };
}

export interface DeviceFacts {
  readonly hostName: string;
  readonly platform: string;
  /** Name of the TPM's storage root key, hex. Public and unproven. */
  readonly storageKeyName: string;
  readonly tpm: { readonly manufacturer: string; readonly firmware: string; readonly revision: string } | null;
}

/** What an enrolment needs of the devices. */
export interface EnrollingDevices {
  findByToken(tx: Tx, tokenHash: Uint8Array): Promise<{ readonly id: string; readonly storageKeyName: string } | null>;
  register(tx: Tx, intent: Intent, tokenHash: Uint8Array, facts: DeviceFacts): Promise<{ readonly id: string }>;
}

export interface WrappedKey {
  readonly keyVersion: number;
  readonly name: Uint8Array;
  readonly public: Uint8Array;
  readonly duplicate: Uint8Array;
  readonly inSymSeed: Uint8Array;
}

export interface FirstWriteApproval {
  readonly answer: Uint8Array;
  readonly selfChange: { readonly approvedPolicy: Uint8Array; readonly signature: Uint8Array };
  readonly expirationSeconds: number;
}

interface Asked {
  readonly requestedBy: string;
  readonly requestId: string;
}

/** What an enrolment needs of the vault. VaultClient has it. */
export interface AdministratorKeys {
  makeKeyForTpm(
    params: Asked & {
      cardId: string;
      strategy: 'random-not-stored' | 'random-stored' | 'deterministic';
      parentPublic: Uint8Array;
      pinLimit: number;
    },
  ): Promise<WrappedKey>;
  signFirstWrite(
    params: Asked & { cardId: string; keyVersion: number; nvIndex: number; nonce: Uint8Array },
  ): Promise<FirstWriteApproval>;
  confirmKey(params: Asked & { cardId: string; keyVersion: number }): Promise<void>;
}
