import { DomainError } from '@cardwright/protocol';
import type { AuthorityName } from '../authorities/authority.ts';
import { serialFromText } from '../x509/serial-number.ts';
import type { RevocationReason } from './reasons.ts';

export interface Revocation {
  readonly serialNumber: Buffer;
  readonly reason: RevocationReason;
  readonly revokedAt: Date;
}

export interface RevocationStore {
  /** @returns null when no such certificate was issued. */
  issuedCertificate(serialNumber: Buffer): Promise<{ readonly issuer: AuthorityName; readonly notBefore: Date } | null>;
  /** Durable when it returns. @returns the first revocation of this serial number: this one or an earlier one. */
  record(revocation: Revocation, issuer: AuthorityName): Promise<Revocation>;
}

export interface RevokePorts {
  readonly store: RevocationStore;
  readonly now: () => Date;
  /** Told after the revocation is durable. It must not fail the revocation when the CRL can't be made at once. */
  readonly recorded: (issuer: AuthorityName) => Promise<void>;
}

const CLOCK_SKEW_MS = 300_000;

/**
 * Revokes for good. The first revocation wins: a repeat, whatever it says, is answered with it.
 * @param request `serialNumber` as 32 lower-case hexadecimal digits
 * @throws DomainError `certificate-unknown` (not-found), `revoked-at-not-possible` (unprocessable),
 * `ca-database-unavailable` (unavailable)
 */
export async function revoke(
  ports: RevokePorts,
  request: { readonly serialNumber: string; readonly reason: RevocationReason; readonly revokedAt: Date },
): Promise<Revocation> {
  const serialNumber = serialFromText(request.serialNumber);
  const certificate = serialNumber === null ? null : await ports.store.issuedCertificate(serialNumber);
  if (serialNumber === null || certificate === null) {
    throw new DomainError(
      'not-found',
      'certificate-unknown',
      'this CA never issued a certificate of this serial number',
    );
  }
  const at = request.revokedAt.getTime();
  if (at > ports.now().getTime() + CLOCK_SKEW_MS || at < certificate.notBefore.getTime()) {
    throw new DomainError(
      'unprocessable',
      'revoked-at-not-possible',
      `revokedAt must lie between ${certificate.notBefore.toISOString()}, when the certificate begins, and now`,
    );
  }
  // CRLs and OCSP know whole seconds; the record and every answer must say the same as they do.
  const revokedAt = new Date(Math.floor(at / 1000) * 1000);
  const first = await ports.store.record({ serialNumber, reason: request.reason, revokedAt }, certificate.issuer);
  await ports.recorded(certificate.issuer);
  return first;
}
