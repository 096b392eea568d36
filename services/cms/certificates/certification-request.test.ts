import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPlainRequest } from './certification-request.ts';
import { createCertificateReader } from './reader.x509.ts';

const KEYS = {
  'ec-p256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ec-p384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'rsa-2048': ['rsa:2048'],
} as const;

/** By openssl, DER; with what is added to its command. */
function request(type: keyof typeof KEYS, ...more: string[]): Uint8Array {
  const args = ['req', '-new', '-nodes', '-keyout', '/dev/null', '-subj', '/O=Corp/CN=Zoë', '-utf8', '-outform', 'DER'];
  return execFileSync('openssl', [...args, '-newkey', ...KEYS[type], ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
}
const keyOf = (csr: Uint8Array) => {
  const pem = execFileSync('openssl', ['req', '-inform', 'DER', '-pubkey', '-noout'], { input: csr, stdio: 'pipe' });
  return createPublicKey(pem).export({ format: 'der', type: 'spki' });
};
const reader = createCertificateReader();
const judged = (csr: Uint8Array, type: string) =>
  reader.judgeRequest(csr, type).then(
    () => 'taken',
    (error: { code: string }) => error.code,
  );

describe.each(Object.keys(KEYS) as (keyof typeof KEYS)[])('a request of %s', (type) => {
  let csr: Uint8Array;
  beforeAll(() => {
    csr = request(type, '-sha256');
  });

  it('is read without a library, and its key is what openssl reads', async () => {
    expect(readPlainRequest(csr)).not.toBeNull();
    expect(await judged(csr, type)).toBe('taken');
    expect(reader.publicKeyOf(csr)).toEqual(keyOf(csr));
    expect(await judged(csr, type === 'ec-p256' ? 'rsa-2048' : 'ec-p256')).toBe('csr-key-not-allowed');
  });

  it('is the same to the library, when it asks for more than its key', async () => {
    const asking = request(type, '-addext', 'subjectAltName=DNS:a.example');
    expect(readPlainRequest(asking)).toBeNull();
    expect(await judged(asking, type)).toBe('taken');
    expect(reader.publicKeyOf(asking)).toEqual(keyOf(asking));
  });

  it('is refused when it can still be read with a byte that is another', async () => {
    const outcomes = new Set<string>();
    const algorithm = readPlainRequest(csr)?.algorithm ?? Buffer.of();
    let read = 0;
    for (let at = 0; at < csr.length; at += 1) {
      const broken = Uint8Array.from(csr, (byte, index) => (index === at ? byte ^ 0x01 : byte));
      // Of another algorithm the library is the judge.
      const parts = readPlainRequest(broken);
      if (parts === null || Buffer.compare(parts.algorithm, algorithm) !== 0) continue;
      read += 1;
      outcomes.add(await judged(broken, type));
    }
    expect(read).toBeGreaterThan(100);
    expect(outcomes).not.toContain('taken');
    expect([...outcomes].every((code) => /^csr-(malformed|signature-invalid|key-not-allowed)$/.test(code))).toBe(true);
  });

  it('is refused when it is cut off anywhere, or goes on', async () => {
    for (let length = 0; length < csr.length; length += 1) {
      expect(readPlainRequest(csr.subarray(0, length))).toBeNull();
    }
    expect(readPlainRequest(Buffer.concat([csr, Buffer.from([0])]))).toBeNull();
  });
});

it.each([
  ['an indefinite length', '3080'],
  ['a length longer than needed', '308101'],
  ['a long tag', '3f8100'],
  ['a length beyond its end', '30820fff'],
  ['nothing', ''],
])('%s is not read', (_name, hex) => {
  expect(readPlainRequest(Buffer.from(hex, 'hex'))).toBeNull();
});
