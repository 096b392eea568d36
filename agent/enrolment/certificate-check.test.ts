import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFacts, checkIssued, toPem } from './certificate-check.ts';

let folder: string;
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
const der = (name: string) => new Uint8Array(new X509Certificate(readFileSync(join(folder, `${name}.pem`))).raw);
const spki = (name: string) =>
  new Uint8Array(createPublicKey(readFileSync(join(folder, `${name}.key`))).export({ type: 'spki', format: 'der' }));

function certify(name: string, issuer: string | null, extensions: string, days = '10'): void {
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
  openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
  writeFileSync(join(folder, `${name}.ext`), extensions);
  const by = issuer === null ? ['-key', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
  const about = ['-days', days, '-extfile', `${name}.ext`, '-set_serial', '0x1234ab'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...by, ...about, '-out', `${name}.pem`);
}

const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
const LEAF = 'basicConstraints=critical,CA:FALSE\n';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cardwright-certificates-'));
  certify('root', null, CA);
  certify('issuing', 'root', CA);
  certify('leaf', 'issuing', LEAF);
  certify('other-root', null, CA);
  certify('no-ca', 'root', LEAF);
  certify('under-no-ca', 'no-ca', LEAF);
  certify('sub-ca', 'issuing', CA);
  certify('long', 'issuing', LEAF, '1000');
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAY = 24 * 60 * 60 * 1000;
const check = (leaf: string, chain: string[], key = leaf, now = new Date()) =>
  checkIssued({ certificate: der(leaf), chain: chain.map(der), publicKey: spki(key), now });

describe('a certificate that the server sends', () => {
  it('is taken when it is for our key and chains to a root', () => {
    const facts = check('leaf', ['issuing', 'root']);
    expect(facts).toMatchObject({ serialNumber: '1234ab', subject: 'CN=leaf', issuer: 'CN=issuing' });
    expect(check('leaf', ['issuing', 'root'], 'leaf', new Date(Date.now() - 5 * 60 * 1000))).toBeDefined();
  });

  it.each([
    ['certificate-for-another-key', () => check('leaf', ['issuing', 'root'], 'root')],
    ['certificate-chain-broken', () => check('leaf', [])],
    ['certificate-chain-broken', () => check('leaf', ['issuing'])],
    ['certificate-chain-broken', () => check('leaf', ['root'])],
    ['certificate-chain-broken', () => check('leaf', ['root', 'issuing'])],
    ['certificate-chain-broken', () => check('leaf', ['issuing', 'other-root'])],
    ['certificate-chain-broken', () => check('leaf', ['issuing', 'root', 'other-root'])],
    ['certificate-chain-broken', () => check('under-no-ca', ['no-ca', 'root'])],
    ['certificate-chain-broken', () => check('sub-ca', ['issuing', 'root'])],
    ['certificate-chain-broken', () => check('root', ['root'])],
    ['certificate-not-in-force', () => check('leaf', ['issuing', 'root'], 'leaf', new Date(Date.now() + 11 * DAY))],
    ['certificate-not-in-force', () => check('leaf', ['issuing', 'root'], 'leaf', new Date(Date.now() - DAY))],
    // The issuers end before the certificate does.
    ['certificate-not-in-force', () => check('long', ['issuing', 'root'], 'long', new Date(Date.now() + 20 * DAY))],
  ])('is refused: %s', (code, work) => {
    expect(work).toThrow(expect.objectContaining({ code }));
  });

  it('with one bit of its signature changed is refused', () => {
    const certificate = der('leaf');
    const last = certificate.length - 1;
    certificate[last] = (certificate[last] ?? 0) ^ 1;
    const issued = { certificate, chain: ['issuing', 'root'].map(der), publicKey: spki('leaf'), now: new Date() };
    expect(() => checkIssued(issued)).toThrow(expect.objectContaining({ code: 'certificate-chain-broken' }));
  });

  it('that is no certificate is refused', () => {
    const leaf = der('leaf');
    const pem = new Uint8Array(readFileSync(join(folder, 'leaf.pem')));
    for (const certificate of [new Uint8Array(), leaf.slice(0, -1), Uint8Array.from([...leaf, 0]), pem]) {
      const issued = { certificate, chain: [der('root')], publicKey: spki('leaf'), now: new Date() };
      expect(() => checkIssued(issued)).toThrow(expect.objectContaining({ code: 'certificate-malformed' }));
    }
  });

  it('never crashes on what is nearly one', () => {
    const leaf = der('leaf');
    for (let at = 0; at < leaf.length; at++) {
      const certificate = leaf.slice();
      certificate[at] = (certificate[at] ?? 0) ^ 0x55;
      const issued = { certificate, chain: ['issuing', 'root'].map(der), publicKey: spki('leaf'), now: new Date() };
      expect(() => checkIssued(issued)).toThrow(expect.objectContaining({ name: 'DomainError' }));
    }
  });

  it('goes out as PEM that openssl reads', () => {
    const file = join(folder, 'out.pem');
    writeFileSync(file, toPem(der('leaf')));
    expect(openssl('x509', '-in', file, '-noout', '-serial').toString()).toContain('1234AB');
    expect(certificateFacts(der('leaf')).notAfter).toMatch(/^\d{4}-.*Z$/);
  });
});
