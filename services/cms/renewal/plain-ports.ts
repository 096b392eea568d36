import type { AttestationPolicy } from '../attestation/index.ts';
import type { CertificateOrder, ContainerRule, PersonNames } from '../certificate-profiles/index.ts';
import type { Assurance, Issued } from '../certificates/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditEntry } from '../kernel/audit-entry.ts';
import type { RenewalFacts } from './policy.ts';

/** All that a renewal follows from, of a card in use and a certificate of it that is in force. */
export interface PlainFacts extends RenewalFacts {
  readonly cardVersion: number;
  readonly personId: string;
  readonly cardAttestation: AttestationPolicy;
  readonly csr: Uint8Array;
  readonly publicKeyHash: Uint8Array | null;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly assurance: Assurance;
  readonly container: ContainerRule;
  /** Newest version of the container's certificate profile. */
  readonly profileVersion: number | null;
  readonly person: PersonNames;
  readonly hostName: string;
  /** Certificates of the container beside it, that are in force or to come. */
  readonly others: number;
  /** Made for the container in a day. */
  readonly recent: number;
}

/** Columns by the names of the statement; the ids of card, device, person and certificate are those of the entry. */
export interface ProposedRenewal {
  readonly request: string;
  readonly container: string;
  readonly old: string;
  readonly card_version: number;
  readonly now: Date;
  readonly profile: string;
  readonly profile_version: number;
  readonly authority: string;
  readonly assurance: Assurance;
  readonly ordered: CertificateOrder;
  readonly csr: Uint8Array;
  readonly csrHash: Uint8Array;
  readonly publicKeyHash: Uint8Array;
  readonly intent: Intent;
  readonly entry: AuditEntry;
}

export interface RecordedRenewal {
  readonly issued: Issued;
  readonly ignored: readonly string[];
  readonly intent: Intent;
  readonly entry: AuditEntry;
}

/** Renewals in few statements. Each says whether it could be done so; why not, the usual way says. */
export interface PlainRenewals {
  read(asked: {
    readonly card: string;
    readonly device: string;
    readonly container: string;
    readonly old: string;
    readonly now: Date;
  }): Promise<PlainFacts | null>;
  propose(step: ProposedRenewal): Promise<boolean>;
  /** False also when it is to be revoked. */
  record(step: RecordedRenewal): Promise<boolean>;
}
