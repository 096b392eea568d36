import type { AttestationPolicy } from '../attestation/index.ts';
import type { EnrolmentMethod, EnrolmentRules, InitialPin } from '../cards/index.ts';
import type { ContainerRule } from '../certificate-profiles/index.ts';
import type { Assurance, CertificateOnRecord } from '../certificates/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { VerificationMethod } from '../kernel/verification.ts';
import type { ClaimedEnrolment, Enrolment, EnrolmentState, HandOverState } from './enrolment.ts';
import type { Verification } from './method.ts';

export interface NewEnrolment {
  readonly id: string;
  readonly personId: string;
  readonly profileName: string;
  readonly method: EnrolmentMethod;
  readonly initialPin: InitialPin;
  readonly handOver: HandOverState | null;
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
  person(personId: string): Promise<PersonNames | null>;
  /** The device has made the card with that key, and shows the code. What was confirmed before is void. */
  setSupervision(
    tx: Tx,
    id: string,
    asked: { readonly confirmationCode: string; readonly keyVersion: number },
  ): Promise<void>;
  setPinConfirmed(tx: Tx, id: string, at: Date): Promise<void>;
  /** The person has the card now, with a PIN of their own. False if that was known, or is not so with this card. */
  setHandedOver(tx: Tx, cardId: string): Promise<boolean>;
  profile(name: string): Promise<EnrolmentProfile | null>;
  /** Whether the person has a card in use on the device. */
  hasCardInUse(tx: Tx, personId: string, deviceId: string): Promise<boolean>;
  /** Other enrolments of the person that the device claimed and did not finish; holds the rows. */
  lockUnfinished(tx: Tx, personId: string, deviceId: string): Promise<ClaimedEnrolment[]>;
  /** What the device is told of the person and the card. */
  claimOf(enrolmentId: string): Promise<ClaimFacts | null>;
}

export interface PersonNames {
  readonly userPrincipalName: string;
  readonly email: string | null;
}

export interface NewVoucher {
  readonly id: string;
  readonly enrolmentId: string;
  readonly createdAt: Date;
}
export type VoucherSource =
  | { readonly kind: 'identity' | 'initial-pin'; readonly by: Actor; readonly verification: Verification }
  | { readonly kind: 'certificate'; readonly certificateId: string; readonly evidence: string };

/** Who vouched that the person is the person. Added, and never changed. */
export interface Voucher {
  readonly id: string;
  readonly enrolmentId: string;
  readonly kind: 'identity' | 'initial-pin' | 'certificate';
  readonly operator: { readonly id: string; readonly name: string } | null;
  readonly method: VerificationMethod | 'existing-certificate';
  readonly evidence: string;
  readonly note: string | null;
  /** That signed. */
  readonly certificateId: string | null;
  readonly createdAt: Date;
  /** 0: of this enrolment; 1: of the one that the certificate came from which signed for this one; and so on. */
  readonly depth: number;
}

export interface Vouchers {
  add(tx: Tx, voucher: NewVoucher & VoucherSource): Promise<void>;
  /** Of this enrolment alone, oldest first. */
  ofEnrolment(tx: Tx, enrolmentId: string): Promise<Voucher[]>;
  /** The whole chain: what vouched for the certificates that vouched, too. */
  chainOf(enrolmentId: string): Promise<Voucher[]>;
}

/** Part of what an existing certificate is to sign. */
export interface ProofNonce {
  readonly nonce: Uint8Array;
  readonly expiresAt: Date;
}
export interface ProofNonces {
  /** It replaces an earlier one. */
  put(tx: Tx, enrolmentId: string, nonce: ProofNonce): Promise<void>;
  /** Gives it once: of two at once, one gets null. */
  take(tx: Tx, enrolmentId: string): Promise<ProofNonce | null>;
}

export interface EnrolmentProfile extends EnrolmentRules {
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

/** As `certificates/signature.x509.ts` has it. */
export interface SignatureForm {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly scheme: 'ecdsa' | 'ecdsa-raw' | 'rsa-pkcs1' | 'rsa-pss';
  readonly curve?: 'prime256v1' | 'secp384r1' | undefined;
}

/** Of certificates from our records, and of strangers' signatures. None throws. */
export interface SignatureChecks {
  verify(der: Uint8Array, statement: Uint8Array, signature: Uint8Array, form: SignatureForm): boolean;
  maySign(der: Uint8Array): boolean;
  describe(der: Uint8Array): { readonly thumbprint: string; readonly serialNumber: string } | null;
}

export interface SignersCertificate extends CertificateOnRecord {
  readonly thumbprint: string | null;
  readonly assurance: Assurance;
}

/** CertificateViews has it. */
export interface SignersCertificates {
  list(
    filters: { readonly thumbprint?: string | undefined; readonly serialNumber?: string | undefined },
    now: Date,
    after: null,
    limit: number,
  ): Promise<SignersCertificate[]>;
}
