/**
 * The one vocabulary of errors. A `kind` says what sort of refusal it is, in words that know nothing of HTTP or exit
 * codes; each edge (cms, agent, link) maps kinds in one file of its own. A `code` is stable and documented: programs
 * may depend on it. `detail` is for a person: what was wrong and what is right. Neither ever holds a secret.
 */
export const ERROR_KINDS = [
  'invalid', // the input is not of the form asked for
  'unauthenticated', // who is asking could not be established
  'forbidden', // known, and not allowed
  'not-found', // does not exist, or may not be known of
  'conflict', // the state of things does not allow it
  'precondition-required', // a version (ETag) must be sent
  'precondition-failed', // the version sent is stale
  'unprocessable', // well-formed and understood, and refused for what it says
  'too-many', // over a limit; `data.retryAfterSeconds`
  'unavailable', // a system that is needed does not answer; trying again is right
  'internal', // a defect of ours
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** A field that was wrong: an RFC 6901 pointer into what was sent, and what is right. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorExtras {
  /** Machine-readable facts for the caller. Never a secret. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly FieldError[];
  readonly cause?: unknown;
}

export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly detail: string;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly fields: readonly FieldError[] | undefined;

  constructor(kind: ErrorKind, code: string, detail: string, extras: ErrorExtras = {}) {
    super(`${code}: ${detail}`, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'DomainError';
    this.kind = kind;
    this.code = code;
    this.detail = detail;
    this.data = extras.data;
    this.fields = extras.fields;
  }
}

/** True also for an error of another copy of this module (it crossed a package boundary or a wire). */
export function isDomainError(error: unknown): error is DomainError {
  return (
    error instanceof Error &&
    error.name === 'DomainError' &&
    'kind' in error &&
    (ERROR_KINDS as readonly unknown[]).includes(error.kind)
  );
}
