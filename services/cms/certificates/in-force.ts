/** A certificate as it is on record, with what its force depends on. CertificateViews has it. */
export interface CertificateOnRecord {
  readonly id: string;
  readonly cardId: string;
  readonly personId: string;
  readonly status: string;
  readonly serialNumber: string | null;
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
  readonly der: Uint8Array | null;
  /** Proposed counts: it is on its way to the CA. */
  readonly revocation: { readonly reason: string } | null;
}

export type InForce<C extends CertificateOnRecord> = C & { readonly der: Uint8Array; readonly serialNumber: string };
export type NotInForce = 'unknown' | 'on-hold' | 'revoked' | 'expired';

/** The certificate, if what its key signs now can be taken for its holder's word; or why not. */
export function judgeForce<C extends CertificateOnRecord>(
  found: C,
  now: Date,
): { readonly certificate: InForce<C> } | { readonly why: NotInForce } {
  const { status, revocation, notBefore, notAfter, der, serialNumber } = found;
  if (status === 'on-hold' || revocation?.reason === 'certificateHold') return { why: 'on-hold' };
  if (status === 'revoked' || revocation !== null) return { why: 'revoked' };
  if (status !== 'active' || der === null || serialNumber === null) return { why: 'unknown' };
  if (notBefore === null || notAfter === null || notBefore > now || notAfter <= now) return { why: 'expired' };
  return { certificate: { ...found, der, serialNumber } };
}
