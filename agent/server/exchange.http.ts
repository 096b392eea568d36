import { DomainError, type ErrorKind, isDomainError } from '@cardwright/protocol';
import { read, type Shape } from '../shape.ts';
import { BODY_BYTES_MAX, problemAnswer } from './answers.ts';
import { isUntrusted } from './trust.http.ts';
import { codeOf, Stopped, TimedOut, TooLarge, type Wire, type WireResponse } from './wire.http.ts';

/** One request and its answer, with limits on time and size, and repeated while the server is only briefly away. */
export interface Exchange {
  readonly baseUrl: string;
  readonly wire: Wire;
  /** The wire takes one CA only. */
  readonly pinned: boolean;
  /** Secret. */
  readonly bearer?: string;
  /** For the whole of one attempt, body included. */
  readonly timeoutMs: number;
  readonly attempts: number;
  /** Ends what is under way. */
  readonly signal?: AbortSignal | undefined;
}

export interface Call<T> {
  readonly method: 'GET' | 'POST';
  /** Below /api/v1; its parts are already safe to put there. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: Shape<T>;
}

const AWAY = new Set([502, 503, 504]);
/** Of ours: worth another attempt. */
const AGAIN = new Set(['server-unreachable', 'server-timeout', 'proxy-unreachable']);
const RETRY_AFTER_MOST_MS = 10_000;

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  412: 'precondition-failed',
  422: 'unprocessable',
  428: 'precondition-required',
  429: 'too-many',
};

/**
 * Throws the server's DomainError, or one of kind `unavailable`: `server-unreachable`, `server-timeout`,
 * `server-failed` (5xx), `server-answer-invalid` (whatever answered is not a Cardwright server, or a broken one),
 * `agent-stopping`, those of a proxy; or `server-certificate-changed` (forbidden). Errors that carry a Retry-After have it in
 * `data.retryAfterSeconds`.
 */
export async function exchange<T>(options: Exchange, call: Call<T>): Promise<T> {
  // Without an Idempotency-Key: each of the device's calls is idempotent by what it says, and answers that hold a secret
  // are not kept under a key, so that a lost one could not be had again.
  for (let attempt = 1; ; attempt++) {
    const outcome = await once(options, call);
    if ('value' in outcome) return outcome.value;
    if (!outcome.again || attempt >= options.attempts) throw outcome.error;
    await pause(outcome.afterMs ?? (200 + Math.random() * 200) * 2 ** attempt, options.signal);
  }
}

type Outcome<T> = { value: T } | { error: DomainError; again: boolean; afterMs?: number };

async function once<T>(options: Exchange, call: Call<T>): Promise<Outcome<T>> {
  let response: WireResponse;
  try {
    // A redirect is not followed: it would carry the token to wherever the answer says.
    response = await options.wire.send({
      method: call.method,
      url: `${options.baseUrl}/api/v1${call.path}`,
      headers: headersOf(options, call),
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      timeoutMs: options.timeoutMs,
      maxBytes: BODY_BYTES_MAX,
      signal: options.signal,
    });
  } catch (error) {
    const refusal = unreachable(options, error);
    return { error: refusal, again: AGAIN.has(refusal.code) };
  }
  const { status, body } = response;
  if (status >= 200 && status < 300) {
    return { value: read(call.answer, json(body), (reason) => notOurs(options, reason)) };
  }
  const retryAfter = Number(response.retryAfter ?? Number.NaN);
  const error = problem(options, status, body, retryAfter);
  if (status === 429) {
    return { error, again: retryAfter * 1000 <= RETRY_AFTER_MOST_MS, afterMs: retryAfter * 1000 };
  }
  return { error, again: AWAY.has(status) };
}

function headersOf(options: Exchange, call: Call<unknown>): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json',
    'user-agent': 'cardwright-agent',
    ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }),
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // refused by every shape
  }
}

function problem(options: Exchange, status: number, body: string, retryAfterSeconds: number): DomainError {
  if (status < 400) return notOurs(options, `it answered with status ${status}`);
  let said: ReturnType<typeof problemAnswer>;
  try {
    said = problemAnswer(json(body), '');
  } catch {
    return status >= 500
      ? failed(options, status, null)
      : notOurs(options, `it answered with status ${status} and no problem details`);
  }
  if (status >= 500 && status !== 503) return failed(options, status, said.requestId);
  const kind = status === 503 ? 'unavailable' : (KINDS[status] ?? 'unprocessable');
  return new DomainError(kind, said.code, said.detail ?? said.title ?? `The server refused (${status}).`, {
    ...(said.errors === null ? {} : { fields: said.errors }),
    data: {
      ...(said.requestId === null ? {} : { requestId: said.requestId }),
      ...(said.data?.deviceId ? { deviceId: said.data.deviceId } : {}),
      ...(retryAfterSeconds >= 0 ? { retryAfterSeconds } : {}),
    },
  });
}

function failed(options: Exchange, status: number, requestId: string | null): DomainError {
  const trace = requestId === null ? '' : ` (request ${requestId})`;
  return new DomainError(
    'unavailable',
    'server-failed',
    `The server at ${options.baseUrl} failed with status ${status}${trace}. Nothing is lost: run the same command again.`,
  );
}

/** What kept a request from being answered, in our words. */
export function unreachable(options: Pick<Exchange, 'baseUrl' | 'pinned' | 'timeoutMs'>, error: unknown): DomainError {
  if (isDomainError(error)) return error;
  const { baseUrl } = options;
  if (error instanceof Stopped) {
    return new DomainError('unavailable', 'agent-stopping', 'The agent is being ended.', { cause: error });
  }
  if (error instanceof TooLarge) return answerInvalid('its answer is larger than any that is expected');
  if (error instanceof TimedOut) {
    return new DomainError(
      'unavailable',
      'server-timeout',
      `The server at ${baseUrl} did not answer within ${options.timeoutMs / 1000} seconds. Run the same command again.`,
      { cause: error },
    );
  }
  if (options.pinned && isUntrusted(error)) {
    return new DomainError(
      'forbidden',
      'server-certificate-changed',
      `The server at ${baseUrl} shows a certificate of another CA than the one it had when this device was enrolled. ` +
        'Somebody may be in between: ask whoever runs the server. If it was changed on purpose: ' +
        `cardwright-agent trust-server --server ${baseUrl}`,
      { cause: error },
    );
  }
  const code = codeOf(error);
  const reason = code === undefined ? '' : ` (${code})`;
  return new DomainError(
    'unavailable',
    'server-unreachable',
    `The server at ${baseUrl} can't be reached${reason}. Check the address and the network; then run the same command again.`,
    { cause: error },
  );
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}

const notOurs = (options: Exchange, reason: string) =>
  answerInvalid(`${options.baseUrl} does not answer as a Cardwright server: ${reason}`);
const answerInvalid = (detail: string) =>
  new DomainError('unavailable', 'server-answer-invalid', `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`);
