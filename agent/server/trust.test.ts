import { execFile, spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { open, text } from '../shape.ts';
import { emptyDocument, serialise } from '../store/document.ts';
import { exchange } from './exchange.http.ts';
import type { ProxyServer } from './proxy.ts';
import { describeCa } from './server-ca.ts';
import { caOfServer } from './trust.http.ts';
import { Wire } from './wire.http.ts';

interface Identity {
  readonly key: string;
  readonly cert: string;
}

const directory = mkdtempSync(join(tmpdir(), 'cardwright-trust-'));
const openssl = (...args: string[]) => {
  const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
};

function makeCa(name: string): Uint8Array {
  const subject = ['-subj', `/CN=${name}`, '-days', '3', '-addext', 'keyUsage=critical,keyCertSign'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-x509', ...key, ...subject, '-out', `${name}.pem`);
  return new Uint8Array(new X509Certificate(readFileSync(join(directory, `${name}.pem`))).raw);
}

function makeServer(ca: string, name: string, days = 2): Identity {
  writeFileSync(join(directory, 'names.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  openssl('req', ...key, '-subj', '/CN=localhost', '-out', `${name}.csr`);
  const by = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-extfile', 'names.ext'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', String(days), '-out', `${name}.pem`);
  const read = (suffix: string) => readFileSync(join(directory, `${name}.${suffix}`), 'utf8');
  return { key: read('key'), cert: read('pem') };
}

let pinned: Uint8Array;
let first: Identity;
let renewed: Identity;
let foreign: Identity;
beforeAll(() => {
  pinned = makeCa('ours');
  makeCa('theirs');
  first = makeServer('ours', 'first');
  renewed = makeServer('ours', 'renewed');
  foreign = makeServer('theirs', 'foreign');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tunnels = new Set<Duplex>();
const running: (Server | NetServer)[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) {
    for (const tunnel of tunnels) tunnel.destroy();
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

let asked = 0;
async function serve(identity: Identity): Promise<string> {
  asked = 0;
  const server = createServer(identity, (request, response) => {
    asked++;
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"x"}');
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push(server);
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

function ask(baseUrl: string, ca: Uint8Array | null = pinned, proxy?: ProxyServer) {
  const trustedCa = ca ?? undefined;
  const wire = new Wire({ baseUrl, trustedCa, proxy });
  return exchange(
    { baseUrl, wire, pinned: trustedCa !== undefined, attempts: 1, timeoutMs: 3000, bearer: 'secret-token' },
    { method: 'POST', path: '/agent/x', body: { a: 1 }, answer: open({ name: text(20) }) },
  );
}

describe('a server whose CA is pinned', () => {
  it('is taken, also with the next certificate and key of that CA', async () => {
    await expect(ask(await serve(first))).resolves.toEqual({ name: 'x' });
    await expect(ask(await serve(renewed))).resolves.toEqual({ name: 'x' });
  });

  it('is refused with a certificate of another CA, before anything is said to it', async () => {
    const url = await serve(foreign);
    const refusal = await ask(url).catch((error) => error);
    expect(refusal).toMatchObject({ kind: 'forbidden', code: 'server-certificate-changed' });
    expect(refusal.detail).toContain('trust-server');
    expect(asked).toBe(0);
  });

  it('is refused when another CA gave itself the same name', async () => {
    rmSync(join(directory, 'ours.srl'), { force: true });
    const genuine = readFileSync(join(directory, 'ours.pem'));
    const key = readFileSync(join(directory, 'ours.key'));
    makeCa('ours');
    const impostor = makeServer('ours', 'impostor');
    writeFileSync(join(directory, 'ours.pem'), genuine);
    writeFileSync(join(directory, 'ours.key'), key);
    const refusal = await ask(await serve(impostor)).catch((error) => error);
    expect(refusal.code).toMatch(/^server-certificate-changed$|^server-unreachable$/);
    expect(asked).toBe(0);
  });

  it('is refused under another name, as ever', async () => {
    const url = (await serve(first)).replace('localhost', '127.0.0.2');
    await expect(ask(url)).rejects.toMatchObject({ kind: 'unavailable', code: 'server-unreachable' });
    expect(asked).toBe(0);
  });

  it('that this system does not trust is not taken without a pin', async () => {
    const url = await serve(first);
    await expect(ask(url, null)).rejects.toMatchObject({ code: 'server-unreachable' });
    const meeting = caOfServer(url, undefined);
    await expect(meeting).rejects.toMatchObject({ kind: 'forbidden', code: 'server-certificate-untrusted' });
    expect(asked).toBe(0);
  });
});

describe('cardwright-agent', () => {
  /** A process of its own: which CAs the system trusts is fixed when Node starts. */
  const program = `
    import { caOfServer } from '${new URL('../dist/server/trust.http.js', import.meta.url)}';
    caOfServer(process.argv[1], undefined).then(
      ({ certificate }) => console.log(Buffer.from(certificate).toString('base64')),
      (error) => console.log(error.code));`;
  const meet = (url: string, trusted: string): Promise<string> =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--input-type=module', '-e', program, url],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(directory, `${trusted}.pem`) } },
        (_, stdout) => resolve(stdout.trim()),
      );
    });

  it('pins the root that stands behind the server it meets first', async () => {
    expect(await meet(await serve(first), 'ours')).toBe(Buffer.from(pinned).toString('base64'));
    expect(await meet(await serve(first), 'theirs')).toBe('server-certificate-untrusted');
  });

  it('takes another CA only when it is told to, and only the one whose fingerprint was said', async () => {
    const url = await serve(foreign);
    const store = join(directory, 'store');
    rmSync(store, { recursive: true, force: true });
    mkdirSync(store, { mode: 0o700 });
    const known = { url, deviceToken: 'A'.repeat(43), deviceId: null };
    const document = { ...emptyDocument(), servers: [{ ...known, trustedCa: Buffer.from(pinned).toString('base64') }] };
    writeFileSync(join(store, 'store.json'), serialise(document), { mode: 0o600 });
    const agent = (...args: string[]) =>
      new Promise<{ code: string | null; trustedCa: string }>((resolve) => {
        const bin = fileURLToPath(new URL('../bin/cardwright-agent.mjs', import.meta.url));
        const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(directory, 'theirs.pem') };
        execFile(
          process.execPath,
          [bin, 'trust-server', '--server', url, '--store', store, ...args],
          { env },
          (_, __, err) => {
            const { servers } = JSON.parse(readFileSync(join(store, 'store.json'), 'utf8'));
            resolve({ code: /\[([a-z-]+)\]/.exec(err)?.[1] ?? null, trustedCa: servers[0].trustedCa });
          },
        );
      });
    const ours = Buffer.from(pinned).toString('base64');
    const { raw } = new X509Certificate(readFileSync(join(directory, 'theirs.pem')));
    const refused = await agent('--fingerprint', describeCa(pinned).spkiSha256);
    expect(refused).toEqual({ code: 'server-certificate-unexpected', trustedCa: ours });
    expect(await agent()).toEqual({ code: 'terminal-missing', trustedCa: ours });
    const told = await agent('--fingerprint', describeCa(raw).spkiSha256);
    expect(told).toEqual({ code: null, trustedCa: raw.toString('base64') });
    await expect(ask(url, raw)).resolves.toEqual({ name: 'x' });
    expect(asked).toBe(1);
  });

  it('shows a CA by the SHA-256 of its public key', () => {
    const key = createPublicKey(createPrivateKey(readFileSync(join(directory, 'ours.key'))));
    const expected = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('hex');
    expect(describeCa(pinned)).toMatchObject({ subject: 'CN=ours', spkiSha256: expected });
  });
});

describe('through a proxy', () => {
  const seen: string[] = [];
  async function startProxy(status: 'lets through' | 'refuses'): Promise<ProxyServer> {
    seen.length = 0;
    const proxy = createProxy();
    proxy.on('connect', (request, client, head) => {
      tunnels.add(client);
      seen.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
      if (status === 'refuses') {
        client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        return;
      }
      const [, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(client).pipe(upstream);
      });
      tunnels.add(upstream);
      for (const socket of [upstream, client]) socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    running.push(proxy);
    return { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port, authorization: 'Basic eDp5' };
  }

  it('the server is spoken to inside of TLS, with its CA pinned all the same', async () => {
    const proxy = await startProxy('lets through');
    const url = await serve(first);
    await expect(ask(url, pinned, proxy)).resolves.toEqual({ name: 'x' });
    expect(seen).toEqual([`localhost:${new URL(url).port} Basic eDp5`]);
    const impostor = await serve(foreign);
    await expect(ask(impostor, pinned, proxy)).rejects.toMatchObject({ code: 'server-certificate-changed' });
    expect(asked).toBe(0);
  });

  it('that refuses or is gone, the error says so', async () => {
    const url = await serve(first);
    const refusing = ask(url, pinned, await startProxy('refuses'));
    await expect(refusing).rejects.toMatchObject({ kind: 'unavailable', code: 'proxy-refused' });
    const nobody = ask(url, pinned, { host: '127.0.0.1', port: 9, authorization: undefined });
    await expect(nobody).rejects.toMatchObject({ kind: 'unavailable', code: 'proxy-unreachable' });
  });
});

it('an end of the agent ends what is under way', async () => {
  const silent = createProxy(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  running.push(silent);
  const baseUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const stop = new AbortController();
  const wire = new Wire({ baseUrl, trustedCa: undefined, proxy: undefined });
  const asking = exchange(
    { baseUrl, wire, pinned: false, attempts: 5, timeoutMs: 60_000, signal: stop.signal },
    { method: 'GET', path: '/agent/x', answer: open({}) },
  );
  silent.once('request', () => stop.abort());
  await expect(asking).rejects.toMatchObject({ kind: 'unavailable', code: 'agent-stopping' });
});
