import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, type ErrorKind } from '@cardwright/protocol';
import { read, type Shape } from '../shape.ts';
import { BODY_BYTES_MAX, problemAnswer } from './answers.ts';

/** One request and its answer, with limits on time and size, and repeated while the server is only briefly away. */
export interface Exchange {
  readonly baseUrl: string;
  /** Secret. */
  readonly bearer?: string;
  /** For the whole of one attempt, body included. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

export interface Call<T> {
  readonly method: 'GET' | 'POST';
  /** Below /api/v1; its parts are already safe to put there. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: Shape<T>;
}

const AWAY = new Set([502, 503, 504]);
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
 * `server-failed` (5xx), `server-answer-invalid` (whatever answered is not a Cardwright server, or a broken one).
 */
export async function exchange<T>(options: Exchange, call: Call<T>): Promise<T> {
  // Without an Idempotency-Key: each of the device's calls is idempotent by what it says, and answers that hold a secret
  // are not kept under a key, so that a lost one could not be had again.
  for (let attempt = 1; ; attempt++) {
    const outcome = await once(options, call);
    if ('value' in outcome) return outcome.value;
    if (!outcome.again || attempt >= options.attempts) throw outcome.error;
    await sleep(outcome.afterMs ?? (200 + Math.random() * 200) * 2 ** attempt);
  }
}

type Outcome<T> = { value: T } | { error: DomainError; again: boolean; afterMs?: number };

async function once<T>(options: Exchange, call: Call<T>): Promise<Outcome<T>> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(`${options.baseUrl}/api/v1${call.path}`, {
      method: call.method,
      headers: headersOf(options, call),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      // A redirect would carry the token to wherever the answer says.
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    body = await boundedText(response);
  } catch (error) {
    if (error instanceof DomainError) return { error, again: false };
    return { error: unreachable(options, error), again: true };
  }
  if (response.status >= 200 && response.status < 300) {
    return { value: read(call.answer, json(body), (reason) => notOurs(options, reason)) };
  }
  const error = problem(options, response, body);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN) * 1000;
  if (response.status === 429) {
    return { error, again: retryAfter <= RETRY_AFTER_MOST_MS, afterMs: retryAfter };
  }
  return { error, again: AWAY.has(response.status) };
}

function headersOf(options: Exchange, call: Call<unknown>): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json',
    'user-agent': 'cardwright-agent',
    ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }),
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the stream.
    if (size > BODY_BYTES_MAX) throw answerInvalid('its answer is larger than any that is expected');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // refused by every shape
  }
}

function problem(options: Exchange, response: Response, body: string): DomainError {
  const { status } = response;
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
    ...(said.requestId === null ? {} : { data: { requestId: said.requestId } }),
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

function unreachable(options: Exchange, error: unknown): DomainError {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new DomainError(
      'unavailable',
      'server-timeout',
      `The server at ${options.baseUrl} did not answer within ${options.timeoutMs / 1000} seconds. Run the same command again.`,
      { cause: error },
    );
  }
  // fetch hides what happened (ECONNREFUSED, a certificate that is not trusted) in the cause.
  const cause = error instanceof Error ? error.cause : undefined;
  const reason = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';
  return new DomainError(
    'unavailable',
    'server-unreachable',
    `The server at ${options.baseUrl} can't be reached${reason}. Check the address and the network; then run the same command again.`,
    { cause: error },
  );
}

const notOurs = (options: Exchange, reason: string) =>
  answerInvalid(`${options.baseUrl} does not answer as a Cardwright server: ${reason}`);
const answerInvalid = (detail: string) =>
  new DomainError('unavailable', 'server-answer-invalid', `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`);
