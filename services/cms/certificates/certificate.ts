import { DomainError } from '@cardwright/protocol';
import { type AllowedAction, offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';
import type { Assurance } from './assurance.ts';

/** States and rules of a certificate's record. The record is made before the CA is asked, and never deleted. */
export type CertificateStatus = 'proposed' | 'active' | 'on-hold' | 'revoked' | 'failed';
export type CertificateAct = 'issue' | 'fail' | 'retry' | 'hold' | 'release' | 'revoke';

/** What the CA gave. */
export interface Issued {
  /** Lower-case hex, without a leading 00. */
  readonly serialNumber: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly thumbprint: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly der: Uint8Array;
}

interface Common {
  readonly id: string;
  /** The CA's idempotency key: however often we ask, one certificate comes of it. */
  readonly requestId: string;
  readonly cardId: string;
  readonly deviceId: string;
  readonly personId: string;
  readonly enrolmentId: string | null;
  /** Name of the CA that issues and revokes it. */
  readonly authority: string;
  readonly container: string;
  readonly assurance: Assurance;
  readonly csr: Uint8Array;
  readonly createdAt: Date;
}
export type ProposedCertificate = Common & { readonly status: 'proposed' };
export type FailedCertificate = Common & { readonly status: 'failed' };
export type ActiveCertificate = Common & Issued & { readonly status: 'active' };
export type HeldCertificate = Common & Issued & { readonly status: 'on-hold' };
export type RevokedCertificate = Common & Issued & { readonly status: 'revoked' };
export type Certificate =
  | ProposedCertificate
  | FailedCertificate
  | ActiveCertificate
  | HeldCertificate
  | RevokedCertificate;

const TRANSITIONS: Readonly<Record<CertificateStatus, Partial<Readonly<Record<CertificateAct, CertificateStatus>>>>> = {
  proposed: { issue: 'active', fail: 'failed' },
  // `issue` too: when two runs asked and one was refused, what the CA issued is what counts.
  failed: { retry: 'proposed', issue: 'active' },
  active: { revoke: 'revoked', hold: 'on-hold' },
  'on-hold': { revoke: 'revoked', release: 'active' },
  revoked: {},
};

export function after(act: CertificateAct, status: CertificateStatus): CertificateStatus | undefined {
  return TRANSITIONS[status][act];
}

export type ShownStatus = CertificateStatus | 'expired';

/** `expired` is no state that anybody writes: it is what an active certificate becomes by itself. */
export function shownStatus(
  certificate: { readonly status: CertificateStatus; readonly notAfter: Date | null },
  now: Date,
): ShownStatus {
  const ends = certificate.status === 'active' || certificate.status === 'on-hold';
  return ends && certificate.notAfter !== null && certificate.notAfter <= now ? 'expired' : certificate.status;
}

const WHY_NOT_REVOCABLE: Readonly<Record<Exclude<ShownStatus, 'active' | 'on-hold'>, string>> = {
  proposed: 'the certificate has not been issued yet',
  failed: 'the certificate was never issued',
  revoked: 'the certificate is revoked already',
  expired: 'the certificate has expired',
};

/**
 * @param revocationProposed a revocation is recorded, whether or not the CA has been told yet
 * @param openHold what the CA has not heard of yet
 */
export function allowedActions(
  status: ShownStatus,
  revocationProposed: boolean,
  permissions: ReadonlySet<Permission>,
  openHold: 'hold' | 'release' | null = null,
): AllowedAction<'revoke' | 'hold' | 'release'>[] {
  const known = revocationProposed ? 'revoked' : status;
  const ended = known === 'active' || known === 'on-hold' ? null : WHY_NOT_REVOCABLE[known];
  const waits = ended ?? (openHold === null ? null : `the CA has not heard of the ${openHold} yet`);
  const act = (name: 'revoke' | 'hold' | 'release', obstacle: string | null) =>
    offer(name, 'certificates:revoke', permissions, obstacle);
  return [
    act('revoke', ended),
    act('hold', waits ?? (known === 'on-hold' ? 'the certificate is on hold already' : null)),
    act('release', waits ?? (known === 'active' ? 'the certificate is not on hold' : null)),
  ];
}

/** @throws DomainError `certificate-not-active` (conflict), saying what it is instead. */
export function assertRevocable(status: ShownStatus): void {
  if (status === 'active' || status === 'on-hold') return;
  throw new DomainError('conflict', 'certificate-not-active', WHY_NOT_REVOCABLE[status]);
}

export function certificateNotFound(): DomainError {
  return new DomainError('not-found', 'not-found', 'There is no such certificate.');
}
