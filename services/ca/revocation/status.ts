import { DomainError } from '@cardwright/protocol';
import type { RevocationReason } from './reasons.ts';

/** A change of a certificate's status, as recorded; the last one stands. */
export type StatusChange =
  | {
      readonly status: 'revoked' | 'on-hold';
      readonly reason: RevocationReason;
      readonly at: Date;
      readonly invalidityDate: Date | null;
    }
  | { readonly status: 'good'; readonly at: Date };
export type Revocation = Extract<StatusChange, { reason: RevocationReason }>;
export type Release = Extract<StatusChange, { status: 'good' }>;

export interface RevocationRequest {
  readonly reason: RevocationReason;
  readonly at: Date;
  readonly invalidityDate: Date | null;
}

export interface Period {
  readonly notBefore: Date;
  /** Now, and what a clock elsewhere may be ahead. */
  readonly latest: Date;
}

/** What is to be recorded, or what is already, and answers a repeat. */
export type Outcome<Change extends StatusChange> = { readonly record: Change } | { readonly stands: Change };

/**
 * The first final reason stands for good; a hold stands until a release or a final reason; the first hold stands.
 * @param last what was recorded last of this certificate
 * @throws DomainError `revoked-at-not-possible` (unprocessable): before the certificate, in the future, or a hold from
 * before its own release (a late repeat must not put it on hold again); `invalidity-date-not-possible` (unprocessable)
 */
export function judgeRevocation(
  last: StatusChange | null,
  { reason, at, invalidityDate }: RevocationRequest,
  { notBefore, latest }: Period,
): Outcome<Revocation> {
  const hold = reason === 'certificateHold';
  if (last?.status === 'revoked' || (hold && last?.status === 'on-hold')) return { stands: last };
  const earliest = hold && last?.status === 'good' && last.at > notBefore ? last.at : notBefore;
  if (at > latest || at < earliest) {
    const since = earliest === notBefore ? 'the certificate begins' : 'it was released';
    throw refused(
      'revoked-at-not-possible',
      `revokedAt must lie between ${earliest.toISOString()}, when ${since}, and now`,
    );
  }
  if (invalidityDate !== null && hold) {
    throw refused(
      'invalidity-date-not-possible',
      'a hold has no invalidityDate: the key is only doubted, not known bad',
    );
  }
  // The key can have been bad before there was a certificate (RFC 5280 5.3.2), but not in the future.
  if (invalidityDate !== null && invalidityDate > latest) {
    throw refused('invalidity-date-not-possible', 'invalidityDate must not lie in the future');
  }
  return { record: { status: hold ? 'on-hold' : 'revoked', reason, at, invalidityDate } };
}

/** @throws DomainError `certificate-not-on-hold` (conflict), `released-at-not-possible` (unprocessable) */
export function judgeRelease(last: StatusChange | null, at: Date, latest: Date): Outcome<Release> {
  // The same release once more: its answer was lost.
  if (last?.status === 'good' && last.at.getTime() === at.getTime()) return { stands: last };
  if (last?.status !== 'on-hold') {
    const is = last?.status === 'revoked' ? `revoked for good (${last.reason})` : 'not on hold';
    throw new DomainError(
      'conflict',
      'certificate-not-on-hold',
      `the certificate is ${is}: only a hold can be released`,
    );
  }
  if (at > latest || at < last.at) {
    const detail = `releasedAt must lie between ${last.at.toISOString()}, when the hold began, and now`;
    throw refused('released-at-not-possible', detail);
  }
  return { record: { status: 'good', at } };
}

const refused = (code: string, detail: string) => new DomainError('unprocessable', code, detail);
