import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allowedKey } from './key-policy.ts';

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
const rsa = (n: bigint, e: string) => {
  const hex = n.toString(16);
  const modulus = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
  return spki(createPublicKey({ key: { kty: 'RSA', n: modulus, e }, format: 'jwk' }));
};
const refusal = (detail: RegExp) =>
  expect.objectContaining({
    kind: 'unprocessable',
    code: 'csr-key-not-allowed',
    detail: expect.stringMatching(detail),
  });
const F4 = 'AQAB';

describe('keys', () => {
  it.each(['P-256', 'P-384'])('on %s are allowed', async (namedCurve) => {
    const info = spki(generateKeyPairSync('ec', { namedCurve }).publicKey);
    expect(spki(await allowedKey(info))).toEqual(info);
  });

  it.each(['P-521', 'secp224r1', 'secp256k1', 'brainpoolP256r1'])('on %s are not', async (namedCurve) => {
    const info = spki(generateKeyPairSync('ec', { namedCurve }).publicKey);
    await expect(allowedKey(info)).rejects.toEqual(refusal(/on the curve/));
  });

  it('that can not be read, or are not points of their curve, are not', async () => {
    const info = spki(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    info[info.length - 1] = (info.at(-1) ?? 0) ^ 1;
    for (const bytes of [info, Buffer.from('3000', 'hex'), Buffer.alloc(0)]) {
      await expect(allowedKey(bytes)).rejects.toEqual(refusal(/can't be read|not on its curve/));
    }
  });

  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const sound = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);

  it('of RSA with a small or even exponent are not', async () => {
    await expect(allowedKey(rsa(sound, F4))).resolves.toBeDefined();
    await expect(allowedKey(rsa(sound, 'Aw'))).rejects.toEqual(refusal(/public exponent/)); // 3
    await expect(allowedKey(rsa(sound, 'AQAC'))).rejects.toEqual(refusal(/public exponent|can't be read/)); // 65538
  });

  it('of RSA whose modulus has a small factor are not', async () => {
    const divisible = sound - (sound % 101n);
    await expect(allowedKey(rsa(divisible, F4))).rejects.toEqual(refusal(/small factor/));
  });

  it('of RSA with the fingerprint of ROCA are not', async () => {
    // A number that is a power of 65537 modulo every small prime, as the flawed library's moduli are (by the Chinese
    // remainder theorem: 65537^k modulo their product), of 2048 bits.
    const primes = Array.from({ length: 166 }, (_, i) => i + 2).filter(
      (p) => ![2, 3, 5, 7, 11].some((q) => p !== q && p % q === 0),
    );
    const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
    let power = 1n;
    for (let k = 0; k < 7; k += 1) power = (power * 65537n) % product;
    const flawed = power + product * ((1n << 2047n) / product + 1n);
    expect(flawed.toString(2)).toHaveLength(2048);
    await expect(allowedKey(rsa(flawed, F4))).rejects.toEqual(refusal(/ROCA/));
  });
});
