import { randomUUID } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';

/** One call of the REST API as any script would make it. Error: `api-refused` (unavailable) with the problem's own words. */
export async function callApi<T>(
  url: string,
  token: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'POST' ? { 'content-type': 'application/json', 'idempotency-key': randomUUID() } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new DomainError('unavailable', 'api-refused', `${method} ${path} answered ${response.status}: ${text}`);
  }
  return JSON.parse(text) as T;
}
