import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { buildCertificateRequest } from './csr.ts';
import { objectIdentifier, tlv, unsignedInteger } from './der.ts';
import type { KeyType } from './port.ts';
import { ecP256PublicKeyInfo, rsaPublicKeyInfo } from './spki.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const pairs = {
  'ec-p256': generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  'rsa-2048': generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const spki = (key: KeyObject) => new Uint8Array(key.export({ type: 'spki', format: 'der' }));

/** A digest signed by a key outside: Node hashes for itself, so it is given what stands for the digest's preimage. */
async function request(keyType: KeyType, commonName: string, spoil = false): Promise<Uint8Array> {
  const { publicKey, privateKey } = pairs[keyType];
  const publicKeyBytes = spki(publicKey);
  const build = (signature: (digest: Uint8Array) => Uint8Array) =>
    buildCertificateRequest({
      commonName,
      publicKey: publicKeyBytes,
      keyType,
      sign: async (digest) => signature(digest),
    });
  // Once to learn the bytes that are signed, once to sign them: they do not depend on the signature.
  const draft = await build(() => new Uint8Array(1));
  const info = draft.subarray(
    headerLength(draft),
    headerLength(draft) + totalLength(draft.subarray(headerLength(draft))),
  );
  const signature = new Uint8Array(sign('sha256', info, privateKey));
  if (spoil) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  return build(() => signature);
}

const headerLength = (der: Uint8Array): number => ((der[1] ?? 0) < 0x80 ? 2 : 2 + ((der[1] ?? 0) & 0x7f));
function totalLength(der: Uint8Array): number {
  const header = headerLength(der);
  if (header === 2) return 2 + (der[1] ?? 0);
  return header + der.subarray(2, header).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** What it says of the signature is on stderr; OpenSSL 3.0 ends with 0 also when the signature is wrong. */
function openssl(der: Uint8Array): { verdict: string; subject: string } {
  const args = ['req', '-inform', 'DER', '-noout', '-verify', '-subject', '-nameopt', 'utf8'];
  const { stdout, stderr } = spawnSync('openssl', args, { input: der, encoding: 'utf8' });
  return { verdict: stderr.split('\n')[0] ?? '', subject: stdout };
}

test.each<KeyType>(['ec-p256', 'rsa-2048'])('%s: openssl req -verify takes it', async (keyType) => {
  const der = await request(keyType, 'Zoë Ångström');
  const expected = { verdict: 'Certificate request self-signature verify OK', subject: 'subject=CN=Zoë Ångström\n' };
  expect(openssl(der)).toEqual(expected);
});

test('openssl refuses it when the signature is not right', async () => {
  const der = await request('rsa-2048', 'x', true);
  expect(openssl(der).verdict).toBe('Certificate request self-signature verify failure');
});

test.each(['', 'x'.repeat(65)])('the name %j is refused', async (commonName) => {
  await expect(request('ec-p256', commonName)).rejects.toMatchObject({ kind: 'invalid', code: 'common-name-invalid' });
});

test('public keys are written as OpenSSL writes them', () => {
  const ec = pairs['ec-p256'].publicKey;
  const rsa = pairs['rsa-2048'].publicKey;
  const number = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  const point = ec.export({ format: 'jwk' });
  expect(hex(ecP256PublicKeyInfo(number(point.x), number(point.y)))).toBe(hex(spki(ec)));
  expect(hex(rsaPublicKeyInfo(number(rsa.export({ format: 'jwk' }).n), 65_537))).toBe(hex(spki(rsa)));
});

test.each([
  [[], '020100'],
  [[0], '020100'],
  [[0, 0], '020100'],
  [[0x7f], '02017f'],
  [[0x80], '02020080'],
  [[0, 0, 0x80], '02020080'],
  [[0, 1, 2], '02020102'],
])('INTEGER %j', (bytes, expected) => {
  expect(hex(unsignedInteger(Uint8Array.from(bytes)))).toBe(expected);
});

test.each([
  [127, '047f'],
  [128, '048180'],
  [255, '0481ff'],
  [256, '04820100'],
])('a length of %i', (length, expected) => {
  expect(hex(tlv(0x04, new Uint8Array(length))).startsWith(expected)).toBe(true);
});

test('OBJECT IDENTIFIER, X.690 section 8.19', () => {
  expect(hex(objectIdentifier('1.2.840.113549.1.1.11'))).toBe('06092a864886f70d01010b');
});
