import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { inRepository } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${system.url}${path}`, { headers, redirect: 'manual' });
/** The path as it is: fetch would put its dots in order first, and an attacker does not. */
const getRaw = (path: string) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(system.url);
    request({ hostname, port, path }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(parts).toString('latin1') }));
    })
      .on('error', reject)
      .end();
  });
const bytes = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe('what the CA publishes', () => {
  it('is there under the public address', async () => {
    for (const name of ['root', 'issuing']) {
      const certificate = await get(`/pki/${name}.cer`);
      expect(certificate.headers.get('content-type')).toBe('application/pkix-cert');
      expect(new X509Certificate(await bytes(certificate)).ca).toBe(true);
      const crl = await get(`/pki/${name}.crl`);
      expect(crl.headers.get('content-type')).toBe('application/pkix-crl');
      execFileSync('openssl', ['crl', '-inform', 'DER', '-noout'], { input: await bytes(crl) });
      const known = await get(`/pki/${name}.crl`, { 'if-none-match': crl.headers.get('etag') ?? '' });
      expect(known.status).toBe(304);
    }
  });

  it('is all that is reachable there', async () => {
    for (const path of [
      '/pki/nothing.cer',
      '/pki/..%2fhealth',
      '/pki/%2e%2e/health',
      '/pki/../../etc/passwd',
      '/pki/root.key',
    ]) {
      expect(await getRaw(path), path).toMatchObject({ status: 404, body: expect.stringContaining('"not-found"') });
    }
  });

  it('takes OCSP requests of a sane size and of their own media type only', async () => {
    const post = (body: Uint8Array<ArrayBuffer> | string, contentType: string) =>
      fetch(`${system.url}/pki/ocsp`, { method: 'POST', body, headers: { 'content-type': contentType } });
    const garbage = await post(Buffer.from('garbage'), 'application/ocsp-request');
    expect(garbage.headers.get('content-type')).toBe('application/ocsp-response');
    expect((await post(Buffer.alloc(20_000), 'application/ocsp-request')).status).toBe(413);
    expect(((await (await post('{}', 'application/json')).json()) as { code: string }).code).toBe(
      'media-type-not-supported',
    );
  });
});

describe('the documentation', () => {
  it('and the contract say the same, without a script and without asking anyone else', async () => {
    const contract = (await (await get('/api/v1/openapi.json')).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const page = await (await get('/docs')).text();
    for (const item of Object.values(contract.paths)) {
      for (const { operationId } of Object.values(item)) expect(page).toContain(`id="${operationId}"`);
    }
    expect(page).not.toMatch(/<script|style="|https?:\/\//i);
    expect((await get('/docs/style.css')).headers.get('content-type')).toContain('text/css');
  });
});

describe('the console', () => {
  it('is served for its own addresses, and never for those of the API', async () => {
    const home = await get('/');
    expect(home.headers.get('content-type')).toContain('text/html');
    const deep = await get('/cards/0199f2a0-3333-7000-8000-000000000003');
    expect(await deep.text()).toBe(await home.text());
    expect((await get('/api/v1/nothing')).headers.get('content-type')).toContain('application/problem+json');
    expect((await get('/no-such-file.js')).status).toBe(404);
  });

  it('comes with the notices of all that others wrote in it', async () => {
    const answer = await get('/third-party-notices.txt');
    expect(answer.headers.get('content-type')).toContain('text/plain');
    const notices = await answer.text();
    const { dependencies } = JSON.parse(readFileSync(inRepository('web', 'package.json'), 'utf8'));
    for (const [name, version] of Object.entries(dependencies)) {
      if (!name.startsWith('@cardwright/')) expect(notices).toContain(`\n${name} ${version} (`);
    }
    // As many licences as packages: MIT's own words, or those of the Apache License.
    const packages = notices.match(/^\S+ \d[\w.-]* \(.+\)$/gm) ?? [];
    const licences = notices.match(/Permission is hereby granted|TERMS AND CONDITIONS FOR USE/g) ?? [];
    expect(packages.length).toBeGreaterThan(Object.keys(dependencies).length);
    expect(licences.length).toBeGreaterThanOrEqual(packages.length);
  });

  it('gives no file but its own', async () => {
    for (const path of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/package.json',
      '/.env',
      '/assets/..%5c..%5cpackage.json',
    ]) {
      const { status, body } = await getRaw(path);
      expect(status, path).not.toBe(500);
      expect(body, path).not.toMatch(/"@cardwright\/web"|"workspaces"|root:x:/);
    }
  });
});

describe('health', () => {
  it('is live without its neighbours, and ready only with them', async () => {
    expect(await (await get('/health/ready')).json()).toEqual({
      status: 'ready',
      parts: { database: 'ready', vault: 'ready', ca: 'ready' },
    });
    await system.processes.ca.kill();
    expect((await get('/health/live')).status).toBe(200);
    const ready = await get('/health/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      status: 'unavailable',
      parts: { database: 'ready', vault: 'ready', ca: 'unavailable' },
    });
    const crl = await get('/pki/root.crl');
    expect([crl.status, ((await crl.json()) as { code: string }).code]).toEqual([502, 'ca-unavailable']);
  });
});
