import { DomainError } from '@cardwright/protocol';
import type { ListLine } from './list-file.ts';
import { demandInvalidity, type RevocationReason } from './revocation.ts';

/** Which certificates. What is given must all hold; a list stands alone. */
export interface Selection {
  readonly cardId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly personId?: string | undefined;
  readonly certificateProfile?: string | undefined;
  /** Name of the CA. */
  readonly authority?: string | undefined;
}
export const CRITERIA = ['cardId', 'deviceId', 'personId', 'certificateProfile', 'authority'] as const;

export interface BatchOrder {
  readonly select: Selection | { readonly lines: readonly ListLine[] };
  readonly reason: RevocationReason;
  readonly comment: string;
  readonly invalidityDate: Date | undefined;
  readonly alsoIssuedMeanwhile: boolean;
}

/** What is kept of it with the operation. */
export interface BatchInput {
  readonly select: Selection | { readonly lines: number };
  readonly revocationReason: RevocationReason;
  readonly invalidityDate: string | null;
  /** What the same selection finds while the batch runs, it revokes too. */
  readonly alsoIssuedMeanwhile: boolean;
}

export const isList = (select: BatchOrder['select']): select is { readonly lines: readonly ListLine[] } =>
  'lines' in select;

export function inputOf({ select, reason, invalidityDate, alsoIssuedMeanwhile }: BatchOrder): BatchInput {
  return {
    select: isList(select) ? { lines: select.lines.length } : select,
    revocationReason: reason,
    invalidityDate: invalidityDate?.toISOString() ?? null,
    alsoIssuedMeanwhile,
  };
}

/** A plan of more is not looked at by anybody. */
export const MAX_CERTIFICATES = 1_000_000;

/**
 * @throws DomainError (unprocessable) `selection-empty`, `list-with-criteria`, `invalidity-date-in-future`.
 */
export function demandOrder(
  select: Selection & { readonly list?: string | undefined },
  invalidityDate: Date | undefined,
  now: Date,
): void {
  const criteria = CRITERIA.filter((one) => select[one] !== undefined);
  if (select.list === undefined && criteria.length === 0) {
    throw refused('selection-empty', 'Say which certificates: by card, device, person, profile, CA, or a list.');
  }
  if (select.list !== undefined && criteria.length > 0) {
    throw refused('list-with-criteria', `A list stands alone: leave out ${criteria.join(' and ')}.`);
  }
  demandInvalidity(invalidityDate, null, now);
}

export function tooLarge(): DomainError {
  return refused('selection-too-large', `This is about more than ${MAX_CERTIFICATES} certificates; select fewer.`);
}

function refused(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer: '/select', detail }] });
}

/** Why nothing is to be done about a certificate, or null. Stable codes: they stand in the plan. */
export const SKIP_CODES = {
  revoked: 'certificate-already-revoked',
  expired: 'certificate-expired',
  failed: 'certificate-never-issued',
} as const;
