import { STATUS_CODES } from 'node:http';
import { DomainError, type ErrorKind, isDomainError } from '@cardwright/protocol';
import type { FastifyError, FastifySchemaValidationError } from 'fastify';

/** The one place where an error becomes HTTP. */
const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'precondition-failed': 412,
  unprocessable: 422,
  'precondition-required': 428,
  'too-many': 429,
  internal: 500,
  unavailable: 503,
};

/** At most this many fields are told of: a caller that is wrong everywhere needs no longer list. */
const MAX_FIELD_ERRORS = 20;

export interface FieldProblemBody {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly FieldProblemBody[];
  readonly data?: Readonly<Record<string, unknown>>;
}

/** RFC 9457. Of an error that is not a refusal of ours, nothing is told but that it happened: the rest is in the log. */
export function problemOf(error: DomainError, requestId: string): ProblemBody {
  const status = statusOf(error);
  const hidden = error.kind === 'internal';
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: hidden
      ? `Something went wrong on our side. Give this request id to your administrator: ${requestId}`
      : error.detail,
    code: hidden ? 'internal' : error.code,
    requestId,
    ...(error.fields === undefined || hidden
      ? {}
      : { errors: error.fields.map((field) => ({ pointer: field.pointer, code: error.code, detail: field.detail })) }),
    ...(error.data === undefined || hidden ? {} : { data: error.data }),
  };
}

/** What HTTP itself has a status of its own for (RFC 9110 sections 15.5.14, 15.5.16 and 15.6.3), and our kinds have not. */
function statusOf(error: DomainError): number {
  if (error.code === 'body-too-large') return 413;
  if (error.code === 'media-type-not-supported') return 415;
  if (error.code === 'ca-unavailable' && error.data?.gateway === true) return 502;
  return STATUS[error.kind];
}

/** Brings whatever was thrown in a request into our vocabulary. */
export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error;
  if (!(error instanceof Error)) return internal(error);
  const { code, validation, statusCode, validationContext } = error as Partial<FastifyError>;
  if (validation !== undefined) return fromValidation(validation, validationContext ?? 'body', error);
  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return field('', 'The body is not JSON. Send a JSON object with Content-Type: application/json.', error);
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return field('', 'Content-Length does not fit the body.', error);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new DomainError('invalid', 'media-type-not-supported', 'Send Content-Type: application/json.', {
        cause: error,
      });
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new DomainError('invalid', 'body-too-large', 'The body is larger than this operation takes.', {
        cause: error,
      });
    case 'FST_UNDER_PRESSURE':
      return new DomainError(
        'unavailable',
        'overloaded',
        'The server has more work than it can do. Try again shortly.',
        {
          data: { retryAfterSeconds: 10 },
          cause: error,
        },
      );
  }
  if (error instanceof SyntaxError && statusCode === 400) return field('', 'The body is not JSON.', error);
  // The framework's own refusals of a malformed request (a broken URL, for one).
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new DomainError('invalid', 'request-malformed', 'The request is not well-formed HTTP.', { cause: error });
  }
  return databaseError(code, error) ?? internal(error);
}

function fromValidation(errors: readonly FastifySchemaValidationError[], context: string, cause: Error): DomainError {
  const prefix = context === 'body' ? '' : context === 'querystring' ? '/query' : `/${context}`;
  const fields = errors.slice(0, MAX_FIELD_ERRORS).map((one) => {
    const { additionalProperty, missingProperty } = one.params as Record<string, unknown>;
    if (one.keyword === 'additionalProperties') {
      return {
        pointer: `${prefix}${one.instancePath}/${unknownName(additionalProperty)}`,
        detail: 'is not known here; leave it out',
      };
    }
    if (one.keyword === 'required') {
      return { pointer: `${prefix}${one.instancePath}/${pointerPart(missingProperty)}`, detail: 'is required' };
    }
    return { pointer: `${prefix}${one.instancePath}`, detail: one.message ?? 'is not right' };
  });
  const unknown = errors.every((one) => one.keyword === 'additionalProperties');
  const [first] = fields;
  const detail = first === undefined ? 'A field is not right.' : `${first.pointer || 'The body'} ${first.detail}.`;
  return new DomainError('invalid', unknown ? 'field-unknown' : 'field-invalid', detail, { fields, cause });
}

/** RFC 6901 section 3. */
function pointerPart(name: unknown): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * A name that is not ours is the caller's own text. It is sent back when it looks like a slip of the pen, and not when it
 * might be a value in the place of a name: that could be a key.
 */
function unknownName(name: unknown): string {
  return /^[A-Za-z][A-Za-z0-9]{0,23}$/.test(String(name)) ? String(name) : '(a name that is not shown)';
}

const field = (pointer: string, detail: string, cause: Error): DomainError =>
  new DomainError('invalid', 'field-invalid', detail, { fields: [{ pointer, detail }], cause });

/** PostgreSQL away or out of connections (08: connection, 57P: shut down, 53: resources), by pg or by Prisma. */
function databaseError(code: string | undefined, cause: Error): DomainError | undefined {
  const text = `${code ?? ''}`;
  const away =
    /^(08|57P|53)/.test(text) ||
    ['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(text) ||
    /(timeout exceeded when trying to connect|Connection terminated)/.test(cause.message);
  if (!away) return undefined;
  return new DomainError('unavailable', 'database-unavailable', 'The database does not answer. Try again shortly.', {
    cause,
  });
}

const internal = (cause: unknown): DomainError =>
  new DomainError('internal', 'internal', 'An error that no one foresaw.', { cause });
