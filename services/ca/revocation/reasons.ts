/**
 * CRLReason of RFC 5280 5.3.1, those that a revocation for good may give. Left out: certificateHold and removeFromCRL
 * (holds are not made yet), cACompromise and aACompromise (no end entity), 7 (unused by the standard).
 */
export const REASON_CODES = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof REASON_CODES;

export const isRevocationReason = (text: unknown): text is RevocationReason =>
  typeof text === 'string' && Object.hasOwn(REASON_CODES, text);
