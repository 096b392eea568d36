/**
 * CRLReason of RFC 5280 5.3.1, those that a certificate of a person or device may have. Left out: cACompromise and
 * aACompromise (no end entity), 7 (unused by the standard).
 */
export const REASON_CODES = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  /** Not for good: a release ends it, or a final reason takes its place. */
  certificateHold: 6,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof REASON_CODES;

/** Only in delta CRLs, of what their base lists and is to be listed no longer. */
export const REMOVE_FROM_CRL = 8;

export const isRevocationReason = (text: unknown): text is RevocationReason =>
  typeof text === 'string' && Object.hasOwn(REASON_CODES, text);
