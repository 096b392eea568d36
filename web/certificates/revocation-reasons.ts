import { en as t } from '../texts/en.ts';

/** CRL reasons (RFC 5280 section 5.3.1) that a person may give. The likeliest come first. */
export const REVOCATION_REASONS = [
  'keyCompromise',
  'superseded',
  'cessationOfOperation',
  'affiliationChanged',
  'privilegeWithdrawn',
  'unspecified',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** A reason in words; one that is not known here as it is. */
export function reasonText(reason: string): string {
  if (reason === 'certificateHold' || reason === 'removeFromCRL') return t.certificates[reason];
  return t.certificates.reasons[reason as RevocationReason] ?? reason;
}
