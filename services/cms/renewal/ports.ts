import type { AttestationDesk, AttestationPolicy, SubmittedEvidence } from '../attestation/index.ts';
import type { CardRecords } from '../cards/index.ts';
import type { CertificateProfiles, ContainerRule } from '../certificate-profiles/index.ts';
import type { Authorities, CertificateReader, CertificateRecords, Issuance } from '../certificates/index.ts';
import type { SignatureChecks, SubmittedProof } from '../enrolment/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { RevocationService, Revocations } from '../revocation/index.ts';
import type { PlainRenewals } from './plain-ports.ts';
import type { RenewalFacts } from './policy.ts';

export type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

/** What a renewal reads of the card's profile. */
export interface RenewalProfiles {
  profile(name: string): Promise<RenewalProfile | null>;
}

export interface RenewalProfile {
  readonly attestation: AttestationPolicy;
  readonly containers: readonly ContainerRule[];
}

export interface RenewalRecords {
  /** By the certificate's id. */
  factsOf(certificateIds: readonly string[]): Promise<ReadonlyMap<string, RenewalFacts>>;
  /** Somebody asked for it. The first time counts. */
  setRequested(tx: Tx, certificateId: string, at: Date): Promise<void>;
  /** So that a renewal in few statements, which read the card before, looks again. */
  raiseCardVersion(tx: Tx, cardId: string): Promise<void>;
  /** The task that told the holder, so many days before the end. */
  reminderTask(tx: Tx, certificateId: string, days: number): Promise<string | null>;
  reminded(tx: Tx, reminder: Reminder): Promise<void>;
  /**
   * In force or on hold; what ends first first, those after the key `after`. Wider than any window: whether one is due is for
   * the policy to say.
   */
  endingSoon(window: EndingWindow, after: string | null, limit: number): Promise<readonly EndingCertificate[]>;
}

export interface Reminder {
  readonly certificateId: string;
  readonly days: number;
  readonly taskId: string;
  readonly at: Date;
}

export interface EndingWindow {
  readonly now: Date;
  /** When the device must have checked in last. */
  readonly seenSince: Date;
  /** What was asked of the device since is not asked again. */
  readonly retryAfter: Date;
}

export interface EndingCertificate extends RenewalFacts {
  /** For the next page. */
  readonly key: string;
  readonly id: string;
  readonly cardId: string;
  readonly deviceId: string;
  readonly container: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serial: string;
  readonly profileName: string | null;
  /** In force and not to be revoked, of a card in use, in the TPM of a device that was heard of. */
  readonly able: boolean;
  /** The device is to renew this card's certificates already, or was lately. */
  readonly asked: boolean;
  /** The reminders that were sent. */
  readonly reminded: readonly number[];
}

export interface WantedRenewal {
  readonly container: string;
  /** The certificate that the new one is to stand in for. */
  readonly replaces: string;
  /** PKCS #10, DER; null: for the same key, by the request that proved it when it was new. */
  readonly csr: Uint8Array | null;
  /** What the device's TPM states of the key; null if it sent nothing. */
  readonly evidence: SubmittedEvidence | null;
  /** What the key of the certificate in force signed for a new one; null if it sent nothing. */
  readonly proof: SubmittedProof | null;
}

export interface RenewalPorts {
  readonly plain: PlainRenewals;
  readonly profileVersion: CertificateProfiles['findVersion'];
  readonly authorities: Authorities;
  readonly renewals: RenewalRecords;
  readonly certificateProfiles: Pick<CertificateProfiles, 'find'>;
  readonly cards: CardRecords;
  readonly enrolments: RenewalProfiles;
  readonly attestation: AttestationDesk;
  readonly certificates: CertificateRecords;
  readonly issuance: Issuance;
  readonly reader: CertificateReader;
  readonly signatures: Pick<SignatureChecks, 'verify'>;
  readonly revocations: RevocationService;
  readonly revocationRecords: Revocations;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}
