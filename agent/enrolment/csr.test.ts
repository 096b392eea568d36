import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, it } from 'vitest';
import { certificationRequest, certificationRequestInfo } from './csr.ts';

/** openssl is the judge, by what it says: version 3.0 ends with 0 even when the signature is wrong. */
function judge(der: Uint8Array): string {
  const command = ['req', '-inform', 'DER', '-verify', '-noout', '-subject', '-text'];
  const { stdout, stderr } = spawnSync('openssl', command, { input: der, encoding: 'utf8' });
  return stdout + stderr;
}

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });

it.each([
  ['ec-p256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ecdsa-with-SHA256'],
  ['ec-p384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'ecdsa-with-SHA384'],
  ['rsa-2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256WithRSAEncryption'],
  ['rsa-3072', () => generateKeyPairSync('rsa', { modulusLength: 3072 }), 'sha256WithRSAEncryption'],
] as const)('a request for %s is one to openssl', (keyType, pair, algorithm) => {
  const { publicKey, privateKey } = pair();
  const { info, hash, digest } = certificationRequestInfo(spki(publicKey), 'CW-7K3M-92QF', keyType);
  expect(digest).toEqual(createHash(hash).update(info).digest());
  const said = judge(certificationRequest(info, keyType, sign(hash, info, privateKey)));
  expect(said).toMatch(/verify OK/);
  expect(said).toContain('CN = CW-7K3M-92QF');
  expect(said).toContain(algorithm);
});

it('with a signature of another key is none', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { info } = certificationRequestInfo(spki(publicKey), 'x', 'ec-p256');
  const said = judge(certificationRequest(info, 'ec-p256', sign('sha256', info, other.privateKey)));
  expect(said).toMatch(/verify failure/i);
  expect(said).not.toMatch(/verify OK/);
});

it.each(['', 'x'.repeat(65)])('has a name of 1 to 64 characters', (name) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(() => certificationRequestInfo(spki(publicKey), name, 'ec-p256')).toThrow(RangeError);
});
