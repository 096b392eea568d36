import type { AttestationDesk, AttestationPolicy } from '../attestation/index.ts';
import type { CardRecords } from '../cards/index.ts';
import type { CertificateReader, CertificateRecords, Issuance } from '../certificates/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { RevocationService, Revocations } from '../revocation/index.ts';
import type { RenewalPolicy } from './policy.ts';

export type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

/** What a renewal reads of the card's profile. */
export interface RenewalProfiles {
  profile(name: string): Promise<RenewalProfile | null>;
}

export interface RenewalProfile {
  readonly attestation: AttestationPolicy;
  readonly containers: readonly ({ readonly container: string } & RenewalPolicy)[];
}

export interface RenewalPorts {
  readonly cards: CardRecords;
  readonly enrolments: RenewalProfiles;
  readonly attestation: AttestationDesk;
  readonly certificates: CertificateRecords;
  readonly issuance: Issuance;
  readonly reader: CertificateReader;
  readonly revocations: RevocationService;
  readonly revocationRecords: Revocations;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}
