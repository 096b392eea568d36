import { fromLocalInput } from '../app/local-time.ts';
import type { RevocationReason } from './revocation-reasons.ts';

/** What is said with a revocation, as its form holds it. */
export interface TypedRevocation {
  readonly reason: RevocationReason | null;
  readonly comment: string;
  readonly ticket: string;
  /** As a `datetime-local` input writes it. */
  readonly invalidityDate: string;
}
export const NO_REVOCATION: TypedRevocation = { reason: null, comment: '', ticket: '', invalidityDate: '' };

export interface SaidRevocation {
  reason: RevocationReason;
  comment: string;
  ticket?: string;
  invalidityDate?: string;
}

/** @returns null while something is missing: the form says so at its field, and nothing is sent. */
export function saidOf(typed: TypedRevocation): SaidRevocation | null {
  const comment = typed.comment.trim();
  if (typed.reason === null || comment === '') return null;
  const ticket = typed.ticket.trim();
  const invalidityDate = fromLocalInput(typed.invalidityDate);
  return {
    reason: typed.reason,
    comment,
    ...(ticket === '' ? {} : { ticket }),
    ...(invalidityDate === undefined ? {} : { invalidityDate }),
  };
}
