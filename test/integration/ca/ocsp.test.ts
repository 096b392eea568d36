import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IssueAnswer } from '@cardwright/ca';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaInstallation,
  caInstallation,
  fetchBytes,
  makeCsr,
  openssl,
  order,
  program,
  writePem,
} from './ca-process.ts';

let ca: CaInstallation;
let good: IssueAnswer;
let revoked: IssueAnswer;
const UNKNOWN = '0123456789abcdef0123456789abcdef';
const file = (name: string) => join(ca.folder, name);
beforeAll(async () => {
  ca = await caInstallation();
  await ca.start();
  const { root, issuing } = await ca.client.authorities();
  await writePem(file('root.pem'), 'CERTIFICATE', root.certificate);
  await writePem(file('issuing.pem'), 'CERTIFICATE', issuing.certificate);
  good = await ca.client.issue(order('good', await makeCsr(ca.folder)));
  revoked = await ca.client.issue(order('revoked', await makeCsr(ca.folder)));
  await writePem(file('good.pem'), 'CERTIFICATE', good.certificate);
  await writePem(file('revoked.pem'), 'CERTIFICATE', revoked.certificate);
  const revokedAt = new Date().toISOString();
  await ca.client.revoke({ serialNumber: revoked.serialNumber, reason: 'keyCompromise', revokedAt });
});
afterAll(() => ca.dispose());

const ask = (...args: string[]) =>
  program('openssl', [
    'ocsp',
    '-issuer',
    file('issuing.pem'),
    '-CAfile',
    file('root.pem'),
    '-verify_other',
    file('issuing.pem'),
    ...args,
  ]);
const online = (...args: string[]) => ask('-url', `${ca.url()}/pki/ocsp`, ...args);

async function requestDer(...args: string[]): Promise<Buffer> {
  await openssl('ocsp', '-issuer', file('issuing.pem'), ...args, '-reqout', file('request.der'));
  return readFile(file('request.der'));
}

/** The request that openssl made, by a way openssl doesn't know, and the answer judged by openssl. */
async function judge(response: Buffer, ...args: string[]): Promise<{ code: number; output: string }> {
  await writeFile(file('response.der'), response);
  return ask('-respin', file('response.der'), ...args);
}

describe('openssl ocsp', () => {
  it.each([
    ['SHA-1', '-sha1'],
    ['SHA-256', '-sha256'],
  ])('hears good, revoked and unknown, with its nonce, by %s', async (_name, hash) => {
    const serial = (text: string) => `0x${text}`;
    const answer = await online(
      hash,
      '-nonce',
      '-serial',
      serial(good.serialNumber),
      '-serial',
      serial(revoked.serialNumber),
      '-serial',
      serial(UNKNOWN),
    );
    expect(answer.output).toContain('Response verify OK');
    expect(answer.output).not.toContain('WARNING'); // it warns when the nonce does not come back
    expect(answer.output).toContain(`0x${good.serialNumber}: good`);
    expect(answer.output).toMatch(
      new RegExp(`0x${revoked.serialNumber}: revoked[\\s\\S]*Reason: keyCompromise[\\s\\S]*Revocation Time`),
    );
    expect(answer.output).toContain(`0x${UNKNOWN}: unknown`);
    expect(answer.code).toBe(0);
  });

  it('hears unknown for a certificate of another issuer, and for an algorithm that is not known', async () => {
    const other = await program('openssl', [
      'ocsp',
      '-issuer',
      file('root.pem'),
      '-cert',
      file('issuing.pem'),
      '-url',
      `${ca.url()}/pki/ocsp`,
      '-CAfile',
      file('root.pem'),
      '-verify_other',
      file('issuing.pem'),
    ]);
    expect(other.output).toContain('issuing.pem: unknown');
    const sha512 = await online('-sha512', '-cert', file('good.pem'));
    expect(sha512.output).toContain('good.pem: unknown');
  });

  it('hears of a revocation at once', async () => {
    const soon = await ca.client.issue(order('soon', await makeCsr(ca.folder)));
    expect((await online('-serial', `0x${soon.serialNumber}`)).output).toContain(': good');
    await ca.client.revoke({
      serialNumber: soon.serialNumber,
      reason: 'unspecified',
      revokedAt: new Date().toISOString(),
    });
    expect((await online('-serial', `0x${soon.serialNumber}`)).output).toContain(': revoked');
  });
});

describe('GnuTLS ocsptool', () => {
  it.each([
    ['good', 'good'],
    ['revoked', 'revoked'],
  ])('hears that %s is %s', async (name, status) => {
    const answer = await program('ocsptool', [
      `--ask=${ca.url()}/pki/ocsp`,
      '--load-cert',
      file(`${name}.pem`),
      '--load-issuer',
      file('issuing.pem'),
      '--nonce',
    ]);
    expect(answer.output).toContain('Verifying OCSP Response: Success');
    expect(answer.output).toContain(`Certificate Status: ${status}`);
  });
});

describe('the responder', () => {
  it('has a certificate that openssl takes for signing OCSP, and which says that nobody need ask for its status', async () => {
    const { bytes } = await post(await requestDer('-cert', file('good.pem'), '-no_nonce'));
    await writeFile(file('response.der'), bytes);
    const text = await openssl('ocsp', '-respin', file('response.der'), '-resp_text', '-noverify');
    expect(text).toMatch(/Extended Key Usage: \s*OCSP Signing/);
    expect(text).toContain('OCSP No Check');
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Next Update: /);
    const { rows } = await ca.owner.query("SELECT state FROM ca.certificates WHERE profile = 'ocsp-responder'");
    expect(rows).toEqual([{ state: 'issued' }]);
  });

  it('answers GET, however the base64 is written in the path', async () => {
    const base64 = (await requestDer('-cert', file('revoked.pem'), '-no_nonce')).toString('base64');
    for (const path of [encodeURIComponent(base64), base64, base64.replaceAll('=', '%3d')]) {
      const { response, bytes } = await fetchBytes(`${ca.url()}/pki/ocsp/${path}`);
      expect(response.headers.get('content-type')).toBe('application/ocsp-response');
      expect((await judge(bytes, '-cert', file('revoked.pem'))).output).toContain('revoked.pem: revoked');
    }
  });

  it('refuses what is no request, as malformed and within its bounds', async () => {
    const request = await requestDer('-cert', file('good.pem'), '-no_nonce');
    const malformed = Buffer.from('30030a0101', 'hex');
    const bad = [
      Buffer.alloc(0),
      Buffer.from('garbage'),
      request.subarray(0, -1),
      Buffer.concat([request, Buffer.from([0])]),
      Buffer.alloc(16_000, 0x30),
      Buffer.from('3000', 'hex'),
    ];
    for (const body of bad) {
      const { response, bytes } = await post(body);
      expect(bytes).toEqual(malformed);
      expect(response.status).toBe(200);
    }
    for (const path of ['%25', '%00', '%', 'not+base64!', 'A'.repeat(3000), 'A'.repeat(5000)]) {
      expect((await fetchBytes(`${ca.url()}/pki/ocsp/${path}`)).bytes).toEqual(malformed);
    }
    expect((await post(Buffer.alloc(20_000))).response.status).toBe(413);
    const json = await fetchBytes(`${ca.url()}/pki/ocsp`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(json.response.status).toBe(415);
  });

  it('answers at most 16 at once', async () => {
    const serials = (count: number) => Array.from({ length: count }, (_, n) => ['-serial', String(n + 1)]).flat();
    expect((await post(await requestDer(...serials(16)))).bytes.length).toBeGreaterThan(500);
    expect((await post(await requestDer(...serials(17)))).bytes.toString('hex')).toBe('30030a0101');
  });
});

const post = (body: Buffer) =>
  fetchBytes(`${ca.url()}/pki/ocsp`, { method: 'POST', body, headers: { 'content-type': 'application/ocsp-request' } });
