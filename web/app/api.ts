import createClient from 'openapi-fetch';
import { en as t } from '../texts/en.ts';
import { ApiError, errorFromAnswer } from './api-error.ts';
import type { paths } from './contract.ts';
import { heardServerTime } from './server-clock.ts';

/** The public API, signed in by the session cookie. The console has no privilege of its own. */
export const api = createClient<paths>({ credentials: 'same-origin', cache: 'no-store' });

api.use({
  onResponse({ response }) {
    heardServerTime(response.headers.get('date'));
  },
});

/**
 * The one funnel of errors: gives what a call answered, or throws an {@link ApiError}.
 * @param call a call of {@link api}, not yet awaited
 */
export async function answerOf<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<Exclude<T, undefined>> {
  let settled: Awaited<typeof call>;
  try {
    settled = await call;
  } catch (cause) {
    // fetch rejects for every failure below HTTP; openapi-fetch rejects also for a body that is not the JSON promised
    const detail = cause instanceof SyntaxError ? t.problem.notUnderstood : t.problem.unreachable;
    throw new ApiError({ status: 0, code: 'server-unreachable', detail });
  }
  const { data, error, response } = settled;
  if (!response.ok) {
    throw errorFromAnswer(
      response.status,
      error,
      t.problem.status(response.status),
      response.headers.get('retry-after'),
    );
  }
  return data as Exclude<T, undefined>;
}

/** What a call answered, and its version: a change of it is sent with that (If-Match), so that nobody overwrites another. */
export async function versionedAnswerOf<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<{ value: Exclude<T, undefined>; etag: string }> {
  const value = await answerOf(call);
  return { value, etag: (await call).response.headers.get('etag') ?? '' };
}

/** A key for the Idempotency-Key header: 128 random bits. (crypto.randomUUID is missing on plain http.) */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
