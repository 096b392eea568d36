/** A field that the server refused: an RFC 6901 pointer into the body sent, and what is right. */
export interface RefusedField {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * Everything that can go wrong with a request, in one shape: RFC 9457 problem details as the server sent them, or what
 * the console can say itself when there is no such answer (status 0: the server was not reached).
 */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | undefined;
  readonly fields: readonly RefusedField[];
  readonly retryAfterSeconds: number | undefined;

  constructor(facts: {
    status: number;
    code: string;
    detail: string;
    requestId?: string | undefined;
    fields?: readonly RefusedField[];
    retryAfterSeconds?: number | undefined;
  }) {
    super(`${facts.code}: ${facts.detail}`);
    this.name = 'ApiError';
    this.status = facts.status;
    this.code = facts.code;
    this.detail = facts.detail;
    this.requestId = facts.requestId;
    this.fields = facts.fields ?? [];
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }

  /** True when no answer came that says what happened: the same request may be sent again with the same key. */
  get outcomeUnknown(): boolean {
    return this.status === 0 || this.status >= 500;
  }

  /** What the server said of the field `name` (`evidence` or `verification/evidence`). */
  field(name: string): string | undefined {
    return this.fields.find((field) => field.pointer === `/${name}` || field.pointer.endsWith(`/${name}`))?.detail;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function refusedFields(value: unknown): RefusedField[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const { pointer, detail } = (entry ?? {}) as { pointer?: unknown; detail?: unknown };
    return typeof pointer === 'string' && typeof detail === 'string' ? [{ pointer, detail }] : [];
  });
}

/**
 * @param body the parsed body of an answer that is not 2xx; whatever it is (a proxy's HTML page too)
 * @param retryAfter the Retry-After header in its delta-seconds form (RFC 9110 section 10.2.3)
 */
export function errorFromAnswer(
  status: number,
  body: unknown,
  fallbackDetail: string,
  retryAfter: string | null = null,
): ApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ApiError({
    status,
    code: text(problem.code) ?? `http-${status}`,
    detail: text(problem.detail) ?? text(problem.title) ?? fallbackDetail,
    requestId: text(problem.requestId),
    fields: refusedFields(problem.errors),
    retryAfterSeconds: Number.isFinite(seconds) ? seconds : undefined,
  });
}
