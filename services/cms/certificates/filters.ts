import { DomainError } from '@cardwright/protocol';
import type { ShownStatus } from './certificate.ts';

export interface CertificateFilters {
  readonly deviceId?: string | undefined;
  readonly cardId?: string | undefined;
  readonly personId?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly thumbprint?: string | undefined;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly publicKey?: string | undefined;
  readonly certificateProfile?: string | undefined;
  readonly authority?: string | undefined;
  readonly assurance?: string | undefined;
  readonly status?: ShownStatus | undefined;
  /** Those that there were at this moment, in the states that they were in then. */
  readonly asOf?: Date | undefined;
  /** In force or on hold, and their end is in this span. */
  readonly ending?: { readonly from: Date; readonly before: Date } | undefined;
}

/** newest: by id. ended, ending: by their end, and by id where it is the same. */
export type Order = 'newest' | 'ended' | 'ending';

export function orderOf({ status, asOf, ending }: CertificateFilters): Order {
  if (ending !== undefined) return 'ending';
  return status === 'expired' && asOf === undefined ? 'ended' : 'newest';
}

/** One of these has to be said with `asOf`: what all certificates of a fleet were at some time is a walk through all of them. */
const NARROWING = ['deviceId', 'cardId', 'personId', 'serialNumber', 'thumbprint', 'publicKey'] as const;

/** @throws DomainError `field-invalid` (invalid): the moment is to come, or nothing says whose certificates. */
export function assertPast(filters: CertificateFilters, now: Date): void {
  if (filters.asOf === undefined) return;
  if (filters.asOf > now) throw invalid('The moment is to come. Send a time that is past.');
  if (NARROWING.every((name) => filters[name] === undefined)) {
    throw invalid(`Say whose certificates, by one of ${NARROWING.join(', ')}.`);
  }
}

const invalid = (detail: string): DomainError =>
  new DomainError('invalid', 'field-invalid', detail, { fields: [{ pointer: '/query/asOf', detail }] });
