import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { KnownServer } from '../store/document.ts';
import { serverFacts } from './server.http.ts';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const known = (url: string, trustedCa: string | null = null): KnownServer => ({
  url,
  deviceToken: 'A'.repeat(43),
  deviceId: null,
  trustedCa,
});

async function serving(listener: RequestListener): Promise<KnownServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => server.close(resolve)));
  return known(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

describe('a server that is asked whether it lives', () => {
  it('is told no secret, and its clock is compared', async () => {
    const asked: unknown[] = [];
    const server = await serving((request, response) => {
      asked.push([request.method, request.url, request.headers.authorization]);
      response.setHeader('date', new Date(Date.now() - 120_000).toUTCString());
      response.end('{"status":"live"}');
    });
    const facts = await serverFacts(server, {}, () => new Date());
    expect(facts).toMatchObject({ url: server.url, reached: true });
    const ahead = facts.reached ? facts.clockAheadSeconds : null;
    expect(ahead).toBeGreaterThanOrEqual(119);
    expect(ahead).toBeLessThanOrEqual(122);
    expect(asked).toEqual([['GET', '/health/live', undefined]]);
  });

  it.each<[string, RequestListener]>([
    ['answers as something else', (_, response) => response.writeHead(404).end()],
    ['sends us elsewhere', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ])('is not one that %s', async (_, listener) => {
    const facts = await serverFacts(await serving(listener), {}, () => new Date());
    expect(facts).toMatchObject({ reached: false, code: 'server-answer-invalid' });
  });

  it('is away where nobody listens, and where an answer has no end', async () => {
    const nobody = await serverFacts(known('http://127.0.0.1:1'), {}, () => new Date());
    expect(nobody).toMatchObject({ reached: false, code: 'server-unreachable' });
    const endless = await serving((_, response) => response.end('x'.repeat(100_000)));
    expect(await serverFacts(endless, {}, () => new Date())).toMatchObject({ code: 'server-answer-invalid' });
  });

  it('says of a proxy that is set wrongly that it is', async () => {
    const facts = await serverFacts(known('https://cards.example.org'), { HTTPS_PROXY: 'nonsense' }, () => new Date());
    expect(facts).toMatchObject({ reached: false, code: 'proxy-invalid' });
  });
});
