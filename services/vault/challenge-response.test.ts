import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encryptChallenge, keyCheckValue } from './challenge-response.ts';
import { KEY_BYTES } from './key-text.ts';
import { vectors } from './vectors.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const show = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the answer to a challenge', () => {
  for (const { source, algorithm, key, challenge, answer, kcv } of vectors.challengeResponse) {
    it(`is that of ${source}, in ECB and CBC`, () => {
      expect(show(encryptChallenge(hex(key), algorithm, hex(challenge), 'ecb'))).toBe(answer.toLowerCase());
      expect(show(encryptChallenge(hex(key), algorithm, hex(challenge), 'cbc'))).toBe(answer.toLowerCase());
      if (kcv !== undefined) expect(keyCheckValue(hex(key), algorithm)).toBe(kcv);
    });
  }

  it.each([
    ['tdes', 'ecb', 'des-ede3'],
    ['tdes', 'cbc', 'des-ede3-cbc'],
    ['aes-128', 'ecb', 'aes-128-ecb'],
    ['aes-128', 'cbc', 'aes-128-cbc'],
    ['aes-192', 'ecb', 'aes-192-ecb'],
    ['aes-256', 'ecb', 'aes-256-ecb'],
    ['aes-256', 'cbc', 'aes-256-cbc'],
  ] as const)('%s %s is what openssl enc -%s makes of random keys and challenges', (algorithm, mode, cipher) => {
    const block = algorithm === 'tdes' ? 8 : 16;
    for (const length of [block, 2 * block, 64]) {
      const key = randomBytes(KEY_BYTES[algorithm]);
      const challenge = randomBytes(length);
      const iv = mode === 'cbc' ? ['-iv', '00'.repeat(block)] : [];
      const args = ['enc', `-${cipher}`, '-K', show(key), ...iv, '-nopad'];
      expect(show(encryptChallenge(key, algorithm, challenge, mode))).toBe(
        show(execFileSync('openssl', args, { input: challenge, stdio: ['pipe', 'pipe', 'ignore'] })),
      );
    }
  });

  it('does not depend on the parity bits of a TDES key', () => {
    const key = randomBytes(24);
    const flipped = key.map((byte) => byte ^ 1);
    const challenge = randomBytes(8);
    expect(encryptChallenge(flipped, 'tdes', challenge, 'ecb')).toEqual(
      encryptChallenge(key, 'tdes', challenge, 'ecb'),
    );
  });

  it('to two equal blocks differs between ECB and CBC as it should', () => {
    const key = randomBytes(24);
    const challenge = Buffer.concat([Buffer.alloc(8, 7), Buffer.alloc(8, 7)]);
    const ecb = show(encryptChallenge(key, 'tdes', challenge, 'ecb'));
    const cbc = show(encryptChallenge(key, 'tdes', challenge, 'cbc'));
    expect(ecb.slice(0, 16)).toBe(ecb.slice(16));
    expect(cbc.slice(0, 16)).toBe(ecb.slice(0, 16));
    expect(cbc.slice(16)).not.toBe(ecb.slice(16));
  });

  it('to the published sample twice over: ECB repeats itself, CBC does not (TDES, 16 bytes)', () => {
    // D61143F9CCFFD2CA under the zero key is 17466E766E303CB6: Microsoft's published sample.
    const challenge = hex('D61143F9CCFFD2CAD61143F9CCFFD2CA');
    const key = new Uint8Array(24);
    expect(show(encryptChallenge(key, 'tdes', challenge, 'ecb'))).toBe('17466e766e303cb617466e766e303cb6');
    const chained = hex('D61143F9CCFFD2CA').map((byte, at) => byte ^ (hex('17466E766E303CB6')[at] ?? 0));
    expect(show(encryptChallenge(key, 'tdes', challenge, 'cbc'))).toBe(
      `17466e766e303cb6${show(encryptChallenge(key, 'tdes', chained, 'ecb'))}`,
    );
  });

  it.each([
    ['tdes', 0],
    ['tdes', 7],
    ['tdes', 9],
    ['tdes', 72],
    ['aes-128', 8],
    ['aes-256', 24],
    ['aes-256', 80],
  ] as const)('of %s to %i bytes is refused: challenge-length', (algorithm, length) => {
    const work = () => encryptChallenge(randomBytes(KEY_BYTES[algorithm]), algorithm, new Uint8Array(length), 'ecb');
    expect(work).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'challenge-length' }));
    expect(work).toThrow(algorithm === 'tdes' ? /gives 8,/ : /gives 16,/);
  });
});
