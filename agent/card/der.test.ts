import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { objectIdentifier, tlv, unsignedInteger } from './der.ts';
import { ecPublicKeyInfo, rsaPublicKeyInfo } from './spki.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const spki = (key: KeyObject) => new Uint8Array(key.export({ type: 'spki', format: 'der' }));

test('public keys are written as OpenSSL writes them', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const number = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  for (const curve of ['P-256', 'P-384'] as const) {
    // Often enough that some coordinates begin with a zero, which a TPM may leave out.
    for (let i = 0; i < 300; i++) {
      const ec = generateKeyPairSync('ec', { namedCurve: curve }).publicKey;
      const point = ec.export({ format: 'jwk' });
      const bare = (bytes: Uint8Array) => (bytes[0] === 0 ? bytes.slice(1) : bytes);
      expect(hex(ecPublicKeyInfo(curve, bare(number(point.x)), bare(number(point.y))))).toBe(hex(spki(ec)));
    }
  }
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
