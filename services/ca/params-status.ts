import { record, text, wrong } from './params-form.ts';
import { isRevocationReason } from './revocation/reasons.ts';
import type { RevokeRequest } from './revocation/revoke.ts';

/** @throws DomainError `field-invalid` (invalid), as all here. */
export function parseRevoke(params: unknown): RevokeRequest {
  const fields = record(params, '', ['serialNumber', 'reason', 'revokedAt', 'invalidityDate']);
  const { reason, invalidityDate } = fields;
  if (!isRevocationReason(reason)) throw wrong('/reason', 'must be a reason of RFC 5280 5.3.1 that this CA takes');
  return {
    serialNumber: serialNumber(fields.serialNumber),
    reason,
    revokedAt: time(fields.revokedAt, '/revokedAt'),
    invalidityDate: invalidityDate == null ? null : time(invalidityDate, '/invalidityDate'),
  };
}

export function parseRelease(params: unknown): { readonly serialNumber: string; readonly releasedAt: Date } {
  const fields = record(params, '', ['serialNumber', 'releasedAt']);
  return { serialNumber: serialNumber(fields.serialNumber), releasedAt: time(fields.releasedAt, '/releasedAt') };
}

/** Any short text: what is no serial number of ours is unknown, and that is the answer. */
const serialNumber = (value: unknown) => text(value, '/serialNumber', /^[0-9A-Za-z]{1,64}$/, 'must be hexadecimal');

function time(value: unknown, pointer: string): Date {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
  const date = new Date(text(value, pointer, form, 'must be an RFC 3339 time in UTC'));
  if (Number.isNaN(date.getTime())) throw wrong(pointer, 'must be a time that exists');
  return date;
}
