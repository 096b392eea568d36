import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { open, text } from '../shape.ts';
import { exchange } from './exchange.http.ts';
import { Wire } from './wire.http.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server | undefined;
let requests: IncomingMessage[] = [];

/** Each request gets the next handler; the last one again and again. */
async function serve(...handlers: Handler[]): Promise<string> {
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    handlers[Math.min(requests.length, handlers.length) - 1]?.(request, response);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve)));
  server = undefined;
});

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Handler => {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
};
const wireTo = (baseUrl: string) => new Wire({ baseUrl, trustedCa: undefined, proxy: undefined });
const ask = (baseUrl: string, attempts = 1, timeoutMs = 2000) =>
  exchange(
    { baseUrl, wire: wireTo(baseUrl), pinned: false, attempts, timeoutMs, bearer: 'token-of-device' },
    { method: 'POST', path: '/agent/x', body: { a: 1 }, answer: open({ name: text(20) }) },
  );
const refusal = async (...handlers: Handler[]) => {
  const url = await serve(...handlers);
  return await ask(url).then(
    () => ({ code: 'taken' }),
    (error) => error,
  );
};

describe('an answer', () => {
  it('is taken when it is of its shape; what a newer server adds is ignored', async () => {
    const url = await serve(answer(201, { name: 'x', added: [1] }));
    await expect(ask(url)).resolves.toEqual({ name: 'x' });
    expect(requests[0]?.url).toBe('/api/v1/agent/x');
    expect(requests[0]?.headers.authorization).toBe('Bearer token-of-device');
  });

  it.each([
    ['a page of a captive portal', answer(200, '<html>', { 'content-type': 'text/html' })],
    ['cut-off JSON', answer(200, '{"name":"x')],
    ['a wrong type', answer(200, { name: 7 })],
    ['control characters', answer(200, { name: 'a\u001b[2J' })],
    ['text that is too long', answer(200, { name: 'x'.repeat(21) })],
    ['a missing field', answer(200, {})],
    ['an inherited field', answer(200, '{"__proto__":{"name":"x"}}')],
    ['null', answer(200, 'null')],
    ['too many bytes', answer(200, JSON.stringify({ name: 'x', pad: 'x'.repeat(1024 * 1024) }))],
    ['a redirect', answer(302, '', { location: 'http://127.0.0.1:1/' })],
    ['a refusal without problem details', answer(403, 'no')],
    ['a problem with another status type', answer(409, { status: 'x', code: 'y' })],
  ])('%s is refused', async (_, handler) => {
    expect(await refusal(handler)).toMatchObject({ code: 'server-answer-invalid', kind: 'unavailable' });
  });

  it('that repeats the token in what is wrong does not get it shown', async () => {
    const error = await refusal(answer(200, { name: ['token-of-device'] }));
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('token-of-device');
  });
});

describe('a problem', () => {
  it('becomes the error that the server meant', async () => {
    const body = {
      status: 409,
      code: 'enrolment-code-used',
      detail: 'used',
      errors: [{ pointer: '/code', detail: 'x' }],
    };
    const error = await refusal(answer(409, body));
    expect(error).toMatchObject({ kind: 'conflict', code: 'enrolment-code-used', detail: 'used' });
    expect(error.fields).toEqual([{ pointer: '/code', detail: 'x' }]);
  });

  it.each([
    [400, 'invalid'],
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [409, 'conflict'],
    [422, 'unprocessable'],
    [503, 'unavailable'],
  ])('of status %i is of kind %s', async (status, kind) => {
    expect(await refusal(answer(status, { status, code: 'some-code', title: 't' }))).toMatchObject({
      kind,
      code: 'some-code',
    });
  });

  it('of status 500 says that the server failed, with the request to look for', async () => {
    const error = await refusal(answer(500, { status: 500, code: 'internal', requestId: 'req-7' }));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'server-failed' });
    expect(error.detail).toContain('req-7');
  });
});

describe('a server that is away', () => {
  it('is asked again, the same', async () => {
    const drop: Handler = (request) => request.socket.destroy();
    const url = await serve(drop, answer(503, 'starting'), answer(200, { name: 'x' }));
    await expect(ask(url, 4)).resolves.toEqual({ name: 'x' });
    expect(requests.map(({ method, url: path }) => `${method} ${path}`)).toEqual(Array(3).fill('POST /api/v1/agent/x'));
    // Under a key the server keeps no answer that holds a secret: a repeat would be refused.
    expect(requests.some(({ headers }) => 'idempotency-key' in headers)).toBe(false);
  });

  it('is not asked again after a failure or a refusal', async () => {
    for (const status of [500, 409]) {
      const url = await serve(answer(status, { status, code: 'x' }));
      await expect(ask(url, 4)).rejects.toThrow();
      expect(requests).toHaveLength(1);
      server?.closeAllConnections();
      await new Promise((resolve) => server?.close(resolve));
    }
    server = undefined;
  });

  it('waits as long as a limit says, if that is short', async () => {
    const limited = answer(429, { status: 429, code: 'rate-limited' }, { 'retry-after': '0' });
    const url = await serve(limited, answer(200, { name: 'x' }));
    await expect(ask(url, 2)).resolves.toEqual({ name: 'x' });
  });

  it.each(['3600', 'soon', ''])('does not wait for a limit of %j', async (retryAfter) => {
    const url = await serve(answer(429, { status: 429, code: 'rate-limited' }, { 'retry-after': retryAfter }));
    const expected = { kind: 'too-many', code: 'rate-limited' };
    // An empty header reads as no wait at all.
    const error = await ask(url, retryAfter === '' ? 1 : 4).catch((caught) => caught);
    expect(error).toMatchObject(expected);
    // For who asks again on a schedule of his own.
    expect(error.data.retryAfterSeconds).toBe(retryAfter === '3600' ? 3600 : retryAfter === '' ? 0 : undefined);
    expect(requests).toHaveLength(1);
  });

  it('is given a time, for its body too', async () => {
    const never = await serve(() => undefined);
    await expect(ask(never, 1, 150)).rejects.toMatchObject({ code: 'server-timeout' });
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    const slow = await serve((_, response) => {
      response.writeHead(200).write('{"name"');
    });
    await expect(ask(slow, 1, 150)).rejects.toMatchObject({ code: 'server-timeout' });
  });

  it('is named when nobody listens', async () => {
    const url = await serve(answer(200, {}));
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    const error = await ask(url).catch((caught) => caught);
    expect(error).toMatchObject({ kind: 'unavailable', code: 'server-unreachable' });
    expect(error.detail).toContain('ECONNREFUSED');
  });
});
