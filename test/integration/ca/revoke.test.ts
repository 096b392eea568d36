import { writeFile } from 'node:fs/promises';
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
const file = (name: string) => join(ca.folder, name);
beforeAll(async () => {
  ca = await caInstallation();
  await ca.start();
  const { root, issuing } = await ca.client.authorities();
  await writePem(file('root.pem'), 'CERTIFICATE', root.certificate);
  await writePem(file('issuing.pem'), 'CERTIFICATE', issuing.certificate);
});
afterAll(() => ca.dispose());

const refusal = (kind: string, code: string) => expect.objectContaining({ kind, code });
const now = () => `${new Date().toISOString().slice(0, 19)}.000Z`;

async function issued(requestId: string): Promise<IssueAnswer> {
  const answer = await ca.client.issue(order(requestId, await makeCsr(ca.folder)));
  await writePem(file(`${requestId}.pem`), 'CERTIFICATE', answer.certificate);
  return answer;
}

async function fetchCrl(
  name: 'root' | 'issuing',
): Promise<{ bytes: Buffer; etag: string; number: number; text: string }> {
  const { response, bytes } = await fetchBytes(`${ca.url()}/pki/${name}.crl`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/pkix-crl');
  await writeFile(file(`${name}.crl`), bytes);
  await openssl('crl', '-inform', 'DER', '-in', file(`${name}.crl`), '-out', file(`${name}.crl.pem`));
  const text = await openssl('crl', '-in', file(`${name}.crl.pem`), '-noout', '-text');
  const number = Number(/X509v3 CRL Number: \n\s+(\d+|0x[0-9A-F]+)/.exec(text)?.[1]);
  return { bytes, etag: response.headers.get('etag') ?? '', number, text };
}

const verifyWithCrls = (certificate: string) =>
  program('openssl', [
    'verify',
    '-x509_strict',
    '-crl_check_all',
    ...['-CAfile', file('root.pem'), '-untrusted', file('issuing.pem')],
    ...['-CRLfile', file('root.crl.pem'), '-CRLfile', file('issuing.crl.pem')],
    certificate,
  ]);

describe('a revocation', () => {
  it('is in the next CRL, which openssl and GnuTLS accept and refuse the certificate by', async () => {
    const [gone, kept] = [await issued('gone'), await issued('kept')];
    const root = await fetchCrl('root');
    const before = await fetchCrl('issuing');
    expect(root.text).toContain('No Revoked Certificates.');
    expect(await verifyWithCrls(file('gone.pem'))).toEqual({ code: 0, output: `${file('gone.pem')}: OK\n` });

    const revokedAt = now();
    const revocation = { serialNumber: gone.serialNumber, reason: 'keyCompromise', revokedAt } as const;
    expect(await ca.client.revoke(revocation)).toEqual({ ...revocation, invalidityDate: null });

    const after = await fetchCrl('issuing');
    expect(after.number).toBeGreaterThan(before.number);
    expect(after.etag).not.toBe(before.etag);
    expect(after.text).toMatch(/Version 2 \(0x1\)/);
    expect(after.text).toContain('X509v3 Authority Key Identifier');
    expect(after.text).toMatch(
      new RegExp(`Serial Number: ${gone.serialNumber.toUpperCase()}\\n[\\s\\S]*Key Compromise`),
    );
    const checked = await program('openssl', [
      'crl',
      '-verify',
      '-in',
      file('issuing.crl.pem'),
      '-CAfile',
      file('issuing.pem'),
      '-noout',
    ]);
    expect(checked).toEqual({ code: 0, output: 'verify OK\n' });
    const rootChecked = await program('openssl', [
      'crl',
      '-verify',
      '-in',
      file('root.crl.pem'),
      '-CAfile',
      file('root.pem'),
      '-noout',
    ]);
    expect(rootChecked.output).toBe('verify OK\n');

    const refused = await verifyWithCrls(file('gone.pem'));
    expect(refused.code).toBe(2);
    expect(refused.output).toContain('error 23 at 0 depth lookup: certificate revoked');
    expect((await verifyWithCrls(file('kept.pem'))).code).toBe(0);
    expect(kept.serialNumber).not.toBe(gone.serialNumber);

    const gnutls = await program('certtool', [
      '--verify-crl',
      '--load-ca-certificate',
      file('issuing.pem'),
      '--infile',
      file('issuing.crl.pem'),
    ]);
    expect(gnutls.output).toContain('Verification output: Verified.');
  });

  it('once made is the answer to every later one', async () => {
    const { serialNumber, notBefore } = await issued('twice');
    const first = await ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt: notBefore });
    const second = await ca.client.revoke({ serialNumber, reason: 'keyCompromise', revokedAt: now() });
    expect(first).toEqual({ serialNumber, reason: 'superseded', revokedAt: notBefore, invalidityDate: null });
    expect(second).toEqual(first);
    const count = (await fetchCrl('issuing')).text.split(serialNumber.toUpperCase()).length - 1;
    expect(count).toBe(1);
  });

  it.each(['unspecified', 'affiliationChanged', 'cessationOfOperation', 'privilegeWithdrawn'] as const)(
    'for %s is told to openssl, but for unspecified which is left out',
    async (reason) => {
      const { serialNumber } = await issued(`reason-${reason}`);
      await ca.client.revoke({ serialNumber, reason, revokedAt: now() });
      const { text } = await fetchCrl('issuing');
      const entry = text.slice(text.indexOf(serialNumber.toUpperCase())).split('Serial Number')[0] ?? '';
      const words = {
        affiliationChanged: 'Affiliation Changed',
        cessationOfOperation: 'Cessation Of Operation',
        privilegeWithdrawn: 'Privilege Withdrawn',
      };
      if (reason === 'unspecified') expect(entry).not.toContain('Reason Code');
      else expect(entry).toContain(words[reason]);
    },
  );

  it('of many at once makes few CRLs and forgets none', async () => {
    const before = (await fetchCrl('issuing')).number;
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => issued(`many-${n}`)));
    const revokedAt = now();
    await Promise.all(
      all.map(({ serialNumber }) => ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt })),
    );
    const after = await fetchCrl('issuing');
    for (const { serialNumber } of all) expect(after.text).toContain(serialNumber.toUpperCase());
    expect(after.number).toBeGreaterThan(before);
    expect(after.number - before).toBeLessThan(20);
  });

  it.each([
    '0123456789abcdef0123456789abcdef',
    '00112233445566778899aabbccddeeff',
    '1',
    'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF',
  ])('of %s, which was never issued, is refused', async (serialNumber) => {
    const revocation = ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt: now() });
    await expect(revocation).rejects.toEqual(refusal('not-found', 'certificate-unknown'));
  });

  it('is refused at a time that can not be, and changes nothing', async () => {
    const { serialNumber } = await issued('when');
    for (const revokedAt of ['1800-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) {
      const revocation = ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt });
      await expect(revocation).rejects.toEqual(refusal('unprocessable', 'revoked-at-not-possible'));
    }
    for (const reason of ['removeFromCRL', 'cACompromise', 'aACompromise', '']) {
      const revocation = ca.client.revoke({ serialNumber, reason: reason as 'superseded', revokedAt: now() });
      await expect(revocation).rejects.toEqual(refusal('invalid', 'field-invalid'));
    }
    expect((await fetchCrl('issuing')).text).not.toContain(serialNumber.toUpperCase());
  });
});

describe('what is published', () => {
  it('answers 304 to who has it already, and caches may keep a CRL for under a minute', async () => {
    const { etag } = await fetchCrl('issuing');
    for (const sent of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { response } = await fetchBytes(`${ca.url()}/pki/issuing.crl`, { headers: { 'if-none-match': sent } });
      expect(response.status).toBe(304);
      expect(response.headers.get('etag')).toBe(etag);
    }
    const { response } = await fetchBytes(`${ca.url()}/pki/issuing.crl`, { headers: { 'if-none-match': '"other"' } });
    expect(response.status).toBe(200);
    const maxAge = Number(/max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '')?.[1]);
    expect(maxAge).toBeLessThan(60);
  });

  it.each(['root', 'issuing'] as const)('has the certificate of %s as DER', async (name) => {
    const { response, bytes } = await fetchBytes(`${ca.url()}/pki/${name}.cer`);
    expect(response.headers.get('content-type')).toBe('application/pkix-cert');
    const { [name]: authority } = await ca.client.authorities();
    expect(bytes.toString('base64url')).toBe(authority.certificate);
    expect(authority.subject).toMatch(/^CN=Cardwright (Root|Issuing) CA [0-9a-f]{8}$/);
  });

  it('is nothing else', async () => {
    for (const path of ['/pki/root.key', '/pki/', '/pki/other.crl', '/pki/../root.key']) {
      expect((await fetchBytes(ca.url() + path)).response.status).toBe(404);
    }
    expect((await fetchBytes(`${ca.url()}/health/ready`)).response.status).toBe(200);
  });
});

describe('the record', () => {
  it("can't be changed or removed, not even by its owner", async () => {
    const { serialNumber } = await issued('record');
    await ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt: now() });
    for (const statement of [
      'DELETE FROM ca.revocations',
      "UPDATE ca.revocations SET reason = 'unspecified'",
      'TRUNCATE ca.revocations',
      'DELETE FROM ca.certificates',
      "UPDATE ca.certificates SET certificate = '\\x00'",
      'DELETE FROM ca.crls',
      'UPDATE ca.crls SET number = 1',
      "UPDATE ca.authorities SET certificate = '\\x00'",
      'DELETE FROM ca.status_changes',
      "UPDATE ca.status_changes SET reason = 'unspecified'",
      "INSERT INTO ca.revocations SELECT serial_number, issuer, 'unspecified', now(), now(), 0, 99, NULL, '\\x00' FROM ca.certificates",
      'UPDATE ca.crl_scopes SET change_count = 0',
      'DELETE FROM ca.crl_scopes',
      'UPDATE ca.crl_partitions SET shards = 2',
      'DELETE FROM ca.authorities',
    ]) {
      await expect(ca.owner.query(statement), statement).rejects.toMatchObject({ code: '23001' });
    }
  });
});
