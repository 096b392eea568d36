import { DomainError } from '@cardwright/protocol';

/** @throws DomainError `field-invalid` (invalid), as all here; `right` says what is right, after the pointer. */
export function text(value: unknown, pointer: string, form: RegExp, right: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw wrong(pointer, right);
  return value;
}

export function record(value: unknown, pointer: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(pointer, 'must be an object');
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong(pointer, `may only have the fields ${known.join(', ')}`);
  return value as Record<string, unknown>;
}

export function wrong(pointer: string, detail: string): DomainError {
  const fields = [{ pointer, detail }];
  return new DomainError('invalid', 'field-invalid', `${pointer || 'the request'} ${detail}`, { fields });
}
