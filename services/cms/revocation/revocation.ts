import { DomainError } from '@cardwright/protocol';

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

/** Why the CA has not heard yet. */
export interface LastError {
  readonly code: string;
  readonly detail: string;
  /** The CA answered and would not; otherwise it was away. */
  readonly refused: boolean;
}

/** How telling the CA goes. */
export interface Telling {
  /** How often the CA was asked in vain. */
  readonly attempts: number;
  readonly lastError: LastError | null;
  /** Null once the CA has heard. */
  readonly nextAttemptAt: Date | null;
}

export interface Revocation extends Telling {
  readonly id: string;
  readonly certificateId: string;
  readonly state: RevocationState;
  readonly reason: RevocationReason;
  readonly comment: string;
  readonly ticket: string | null;
  readonly requestedBy: { readonly id: string; readonly name: string };
  /** Of the request that decided it; the CA's word is recorded under it as well. Null of old ones. */
  readonly requestId: string | null;
  readonly revokedAt: Date;
  /** RFC 5280 section 5.3.2: since when the certificate is not to be trusted. */
  readonly invalidityDate: Date | null;
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

/**
 * An invalidity date lies in the life of the certificate so far.
 * @throws DomainError (unprocessable) `invalidity-date-in-future`, `invalidity-date-before-certificate`.
 */
export function demandInvalidity(date: Date | undefined, notBefore: Date | null, now: Date): void {
  if (date === undefined) return;
  if (date > now) {
    throw refused('invalidity-date-in-future', 'The invalidity date lies in the future; the latest is now.');
  }
  if (notBefore !== null && date < notBefore) {
    const detail = `The invalidity date lies before the certificate; the earliest is ${notBefore.toISOString()}.`;
    throw refused('invalidity-date-before-certificate', detail);
  }
}

function refused(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer: '/invalidityDate', detail }] });
}
