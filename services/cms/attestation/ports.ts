import type { EndorsedTpm, KeyEvidence, SignedStatement, Trust } from '@cardwright/protocol/attestation';
import type { Tx } from '../kernel/unit-of-work.ts';

type Bytes = Uint8Array;

/** Whom the organisation trusts to say what is a TPM. Read each time it is asked for: roots are added while cms runs. */
export interface TpmRoots {
  /** @throws DomainError `tpm-roots-unreadable` (unavailable). */
  read(): Promise<Trust>;
}

/** What attestation is for a card profile. */
export const ATTESTATION_POLICIES = ['required', 'preferred', 'off'] as const;
export type AttestationPolicy = (typeof ATTESTATION_POLICIES)[number];

/** Which TPM a device is: proven once, and compared ever after. */
export interface DeviceIdentity {
  readonly deviceId: string;
  /** Hex. */
  readonly attestationKeyName: string;
  /** TPM2B_PUBLIC */
  readonly attestationKey: Bytes;
  readonly certificate: Bytes;
  readonly tpm: EndorsedTpm;
  /** TPM2B_PUBLIC of the storage key, proven with it. */
  readonly storageKey: Bytes;
  readonly attestedAt: Date;
  /** When another TPM spoke in its name; null if none did. */
  readonly changedAt: Date | null;
}

/** A credential that was hidden for a TPM. */
export interface PendingAttestation {
  readonly id: string;
  readonly deviceId: string;
  readonly attestationKeyName: string;
  readonly attestationKey: Bytes;
  readonly certificate: Bytes;
  readonly tpm: EndorsedTpm;
  /** SHA-256 of what was hidden. */
  readonly credentialHash: Bytes;
  readonly nonce: Bytes;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface Identities {
  find(deviceId: string): Promise<DeviceIdentity | null>;
  /** Holds the device's row until the transaction ends. Gives the Name of its storage key as it registered with it, hex. */
  lockDevice(tx: Tx, deviceId: string): Promise<{ readonly storageKeyName: string } | null>;
  findIn(tx: Tx, deviceId: string): Promise<DeviceIdentity | null>;
  bind(tx: Tx, identity: Omit<DeviceIdentity, 'changedAt'>): Promise<void>;
  markChanged(tx: Tx, deviceId: string, at: Date): Promise<void>;
  /** Also forgets those of the device that are over. */
  propose(tx: Tx, attestation: PendingAttestation): Promise<void>;
  proposed(tx: Tx, id: string): Promise<(PendingAttestation & { readonly activatedAt: Date | null }) | null>;
  setActivated(tx: Tx, id: string, at: Date): Promise<void>;
}

/** What a device sends of a card's key; nothing of it is believed before it is judged. */
export interface SubmittedEvidence {
  readonly nonce: Bytes;
  readonly key: KeyEvidence;
  readonly index: SignedStatement;
}

export type Verdict =
  | { readonly state: 'unattested' }
  | { readonly state: 'attested' }
  | { readonly state: 'refused'; readonly code: string; readonly detail: string };

/** What cms knows of a card that evidence is held against. */
export interface AttestedCard {
  readonly pinLimit: number | null;
  /** Hex; null for a card that was written before cms kept it. */
  readonly indexName: string | null;
}

export interface StoredEvidence {
  readonly id: string;
  readonly certificateId: string;
  readonly deviceId: string;
  readonly verdict: Exclude<Verdict, { state: 'unattested' }>;
  readonly judgedAt: Date;
  readonly evidence: SubmittedEvidence;
  /** TPM2B_PUBLIC of the key whose signature was wanted. */
  readonly attestationKey: Bytes | null;
}

export interface EvidenceRecords {
  /** Also forgets the device's nonces that are over. */
  putNonce(
    tx: Tx,
    nonce: { readonly nonce: Bytes; readonly deviceId: string; readonly expiresAt: Date },
  ): Promise<void>;
  isOpen(nonce: Bytes, deviceId: string, now: Date): Promise<boolean>;
  card(cardId: string): Promise<AttestedCard | null>;
  /** The Names of keys that the vault made for a card. */
  putKeyName(tx: Tx, cardId: string, keyVersion: number, name: Bytes): Promise<void>;
  keyName(tx: Tx, cardId: string, keyVersion: number): Promise<Bytes | null>;
  setIndexName(tx: Tx, cardId: string, name: Bytes): Promise<void>;
  /** Adds the evidence and sets the certificate's verdict. */
  put(tx: Tx, evidence: StoredEvidence): Promise<void>;
  /** The certificate's evidence, newest first; null if there is no such certificate. */
  of(certificateId: string): Promise<StoredEvidence[] | null>;
  /** Of a card's certificates that count: the one in each container that is active, with its request. */
  activeOf(tx: Tx, cardId: string): Promise<{ id: string; container: string; csr: Bytes }[]>;
}

/** Access tokens of devices, and the assertions they were given for. */
export interface DeviceTokens {
  /** False if the assertion was used before. Also forgets what is over. */
  spend(
    tx: Tx,
    assertion: { readonly deviceId: string; readonly jti: string; readonly expiresAt: Date },
    now: Date,
  ): Promise<boolean>;
  put(
    tx: Tx,
    token: { readonly tokenHash: Bytes; readonly deviceId: string; readonly expiresAt: Date },
    now: Date,
  ): Promise<void>;
}

export interface Policies {
  /** False if there is no such TPM profile. */
  set(tx: Tx, profile: string, policy: AttestationPolicy): Promise<AttestationPolicy | null>;
}
