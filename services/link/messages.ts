import { DomainError, ERROR_KINDS, type ErrorKind, type FieldError, isDomainError } from '@cardwright/protocol';

export interface LinkRequest {
  readonly id: number;
  readonly op: string;
  readonly params: unknown;
}

interface WireError {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly detail: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly FieldError[];
}

export type LinkAnswer =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly error: WireError };

const MAX_OP_LENGTH = 64;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): DomainError {
  return new DomainError('invalid', 'link-message-malformed', 'A message between processes has not the agreed form.');
}

/** @throws DomainError `link-message-malformed` (invalid). */
export function parseRequest(value: unknown): LinkRequest {
  if (!isRecord(value) || Object.keys(value).some((key) => key !== 'id' && key !== 'op' && key !== 'params')) {
    throw malformed();
  }
  const { id, op, params } = value;
  if (!Number.isSafeInteger(id) || typeof op !== 'string' || op.length === 0 || op.length > MAX_OP_LENGTH) {
    throw malformed();
  }
  return { id: id as number, op, params };
}

/** @throws DomainError `link-message-malformed` (invalid). */
export function parseAnswer(value: unknown): LinkAnswer {
  if (!isRecord(value) || !Number.isSafeInteger(value.id)) throw malformed();
  const id = value.id as number;
  if (!('error' in value)) return { id, ok: value.ok };
  const error = value.error;
  if (!isRecord(error) || typeof error.code !== 'string' || typeof error.detail !== 'string') throw malformed();
  const kind = ERROR_KINDS.find((known) => known === error.kind);
  if (kind === undefined) throw malformed();
  return {
    id,
    error: {
      kind,
      code: error.code,
      detail: error.detail,
      ...(isRecord(error.data) ? { data: error.data } : {}),
      ...(Array.isArray(error.fields) ? { fields: error.fields as FieldError[] } : {}),
    },
  };
}

/** What the far side may know of an error: a refusal as it is; of anything else only that it happened. */
export function errorToWire(error: unknown): WireError {
  if (!isDomainError(error)) {
    return { kind: 'internal', code: 'internal', detail: 'the service failed; its own log says why' };
  }
  return {
    kind: error.kind,
    code: error.code,
    detail: error.detail,
    ...(error.data === undefined ? {} : { data: error.data }),
    ...(error.fields === undefined ? {} : { fields: error.fields }),
  };
}

export function errorFromWire(error: WireError): DomainError {
  return new DomainError(error.kind, error.code, error.detail, {
    ...(error.data === undefined ? {} : { data: error.data }),
    ...(error.fields === undefined ? {} : { fields: error.fields }),
  });
}
