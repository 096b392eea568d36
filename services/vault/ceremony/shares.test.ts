import { createECDH, randomBytes } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { recoveryPrivateKey } from './recovery.file.ts';
import { joinShares, makeShares, SHARE_LINES } from './shares.ts';

function recoveryKey(threshold: number, shares: number) {
  const pair = createECDH('prime256v1');
  const point = Uint8Array.from(pair.generateKeys());
  const scalar = new Uint8Array(32);
  scalar.set(pair.getPrivateKey(), 32 - pair.getPrivateKey().length);
  return { scalar, key: { point, threshold, shares } };
}

const bytesOf = (secret: Secret) => secret.use((bytes) => Buffer.from(bytes).toString('hex'));

describe('shares', () => {
  it.each([
    [2, 2],
    [2, 3],
    [3, 5],
    [20, 20],
  ])('any %i of %i give the secret back, in any order', async (threshold, count) => {
    const { scalar, key } = recoveryKey(threshold, count);
    const shares = await makeShares(Secret.take(Uint8Array.from(scalar)), key);
    expect(shares.map((lines) => lines.length)).toEqual(Array(count).fill(SHARE_LINES));
    for (const some of [shares.slice(0, threshold), shares.slice(-threshold).reverse(), [...shares].reverse()]) {
      const joined = await joinShares(some.flat().join('\r\n'), key);
      expect(bytesOf(joined)).toBe(Buffer.from(scalar).toString('hex'));
      expect(joined.use((bytes) => recoveryPrivateKey(bytes, key.point))).toBeDefined();
    }
  });

  it('of two ceremonies do not mix, and one fewer is refused', async () => {
    const [one, two] = [recoveryKey(2, 3), recoveryKey(2, 3)];
    const [ones, twos] = [
      await makeShares(Secret.take(one.scalar), one.key),
      await makeShares(Secret.take(two.scalar), two.key),
    ];
    const join = (text: string) => joinShares(text, one.key);
    await expect(join([ones[0], twos[1]].flat().join('\n'))).rejects.toMatchObject({ code: 'recovery-shares-mixed' });
    await expect(join((ones[0] ?? []).join('\n'))).rejects.toMatchObject({ code: 'recovery-shares-too-few' });
    await expect(join('X'.repeat(100_000))).rejects.toMatchObject({ code: 'recovery-share-mistyped' });
  });

  it('that are no private key of the point open nothing', () => {
    const { key } = recoveryKey(2, 2);
    for (const wrong of [new Uint8Array(32), new Uint8Array(32).fill(255), randomBytes(32)]) {
      expect(recoveryPrivateKey(wrong, key.point)).toBeUndefined();
    }
  });
});
