import { constants, createDecipheriv, createECDH, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hmacSha256 } from './hashing.ts';
import { type WrappedKey, wrapAdministratorKey } from './injection.ts';
import { kdfa, kdfe } from './key-derivation.ts';
import type { StorageParent } from './storage-parent.ts';
import { Reader } from './wire.ts';

/** The TPM's side of the wrap, written from Part 1 section 23.3.2.3; a TPM itself imports such keys in agent/card. */
function unwrap(wrapped: WrappedKey, seed: Uint8Array): { seedValue: Uint8Array; key: Uint8Array } {
  const none = new Uint8Array();
  const outer = new Reader(wrapped.duplicate);
  const duplicate = new Reader(outer.sized(500, 'duplicate'));
  outer.end();
  const integrity = duplicate.sized(32, 'integrity');
  const enciphered = duplicate.rest();
  expect(integrity).toEqual(hmacSha256(kdfa(seed, 'INTEGRITY', none, none, 256), enciphered, wrapped.name));
  const key = kdfa(seed, 'STORAGE', wrapped.name, none, 128);
  const decipher = createDecipheriv('aes-128-cfb', key, new Uint8Array(16));
  const clear = new Reader(Buffer.concat([decipher.update(enciphered), decipher.final()]));
  const sensitive = new Reader(clear.sized(500, 'sensitive'));
  clear.end();
  expect(sensitive.u16('type')).toBe(8);
  expect(sensitive.sized(32, 'authValue')).toHaveLength(0);
  const seedValue = sensitive.sized(32, 'seedValue');
  const secret = sensitive.sized(32, 'key');
  sensitive.end();
  return { seedValue, key: secret };
}

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const material = () => ({ key: random(32), seedValue: random(32), random });
const name = Uint8Array.of(0, 11);

test('the holder of an ECC parent opens the wrap', () => {
  const holder = createECDH('prime256v1');
  const point = new Uint8Array(holder.generateKeys());
  const parent: StorageParent = { kind: 'ecc', x: point.slice(1, 33), y: point.slice(33), name };
  const { key, seedValue } = material();
  const wrapped = wrapAdministratorKey({ key, seedValue, random, parent });
  const secret = new Reader(new Reader(wrapped.inSymSeed).sized(100, 'inSymSeed'));
  const x = secret.sized(32, 'x');
  const y = secret.sized(32, 'y');
  const z = new Uint8Array(holder.computeSecret(Uint8Array.from([4, ...x, ...y])));
  expect(unwrap(wrapped, kdfe(z, 'DUPLICATE', x, parent.x, 256))).toEqual({ key, seedValue });
});

test('the holder of an RSA parent opens the wrap', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const modulus = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'));
  const { key, seedValue } = material();
  const parent: StorageParent = { kind: 'rsa', modulus, exponent: 65_537, name };
  const wrapped = wrapAdministratorKey({ key, seedValue, random, parent });
  const encrypted = new Reader(wrapped.inSymSeed).sized(256, 'inSymSeed');
  const oaep = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const seed = privateDecrypt({ ...oaep, oaepLabel: Buffer.from('DUPLICATE\0') }, encrypted);
  expect(unwrap(wrapped, new Uint8Array(seed))).toEqual({ key, seedValue });
});

test('the key is in nothing that is sent, and its public area does not let it be guessed', () => {
  const holder = createECDH('prime256v1');
  const point = new Uint8Array(holder.generateKeys());
  const parent: StorageParent = { kind: 'ecc', x: point.slice(1, 33), y: point.slice(33), name };
  const key = random(32);
  const first = wrapAdministratorKey({ key, seedValue: random(32), random, parent });
  const second = wrapAdministratorKey({ key, seedValue: random(32), random, parent });
  expect(first.public).not.toEqual(second.public);
  for (const part of [first.public, first.duplicate, first.inSymSeed]) {
    expect(Buffer.from(part).includes(Buffer.from(key))).toBe(false);
  }
});

test('a random source that fails is noticed', () => {
  const parent: StorageParent = { kind: 'ecc', x: new Uint8Array(32), y: new Uint8Array(32), name };
  const { key, seedValue } = material();
  for (const broken of [() => new Uint8Array(32), () => new Uint8Array(31)]) {
    const act = () => wrapAdministratorKey({ key, seedValue, random: broken, parent });
    expect(act).toThrow(expect.objectContaining({ kind: 'internal', code: 'random-broken' }));
  }
});

test.each([31, 33, 0])('an administrator key of %i bytes is not wrapped', (length) => {
  const parent: StorageParent = { kind: 'ecc', x: new Uint8Array(32), y: new Uint8Array(32), name };
  const act = () => wrapAdministratorKey({ key: random(length), seedValue: random(32), random, parent });
  expect(act).toThrow(expect.objectContaining({ code: 'administrator-key-length' }));
});
