/**
 * The reasons of RFC 5280 section 5.3.1 that an operator may give. `cACompromise` and `aACompromise` are not about a
 * card; `certificateHold` and `removeFromCRL` belong to holds.
 */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** proposed: decided and recorded, and the CA will be told until it has heard. confirmed: the CA has published it. */
export type RevocationState = 'proposed' | 'confirmed';

export interface Revocation {
  readonly id: string;
  readonly certificateId: string;
  readonly state: RevocationState;
  readonly reason: RevocationReason;
  readonly comment: string;
  readonly ticket: string | null;
  readonly requestedBy: { readonly id: string; readonly name: string };
  readonly revokedAt: Date;
  readonly createdAt: Date;
  readonly confirmedAt: Date | null;
}

const TRANSITIONS: Readonly<Record<RevocationState, { readonly confirm?: RevocationState }>> = {
  proposed: { confirm: 'confirmed' },
  confirmed: {},
};

/** Once confirmed a revocation stays: confirming again changes nothing. */
export function mayConfirm(state: RevocationState): boolean {
  return TRANSITIONS[state].confirm !== undefined;
}
