import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { administratorKeyContext, counterModeKdf } from './derivation.ts';
import { vectors } from './vectors.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const show = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('deterministic keys', () => {
  const { source, key, fixedData, derived } = vectors.derivation;
  it(`are derived as in ${source}`, () => {
    expect(show(counterModeKdf(hex(key), hex(fixedData), derived.length / 2))).toBe(derived);
  });

  it('longer than a block of the PRF go on with the next counter (SP 800-108r1, 4.1)', () => {
    const master = randomBytes(32);
    const fixed = randomBytes(20);
    const block = (counter: string) => createHmac('sha256', master).update(hex(counter)).update(fixed).digest('hex');
    expect(show(counterModeKdf(master, fixed, 40))).toBe(block('00000001') + block('00000002').slice(0, 16));
    expect(() => counterModeKdf(master, fixed, 0)).toThrow(RangeError);
    expect(() => counterModeKdf(master, fixed, 255 * 32 + 1)).toThrow(RangeError);
  });

  it('have a context whose layout never changes', () => {
    const of = { cardId: '0190a5f0-0000-7000-8000-000000000001', keyVersion: 7, algorithm: 'hmac-sha256' } as const;
    expect(Buffer.from(administratorKeyContext(of, 'administrator-key', 32)).toString('latin1')).toBe(
      'cardwright administrator-key\x000190a5f0-0000-7000-8000-000000000001\x007\x00hmac-sha256\x00\x00\x01\x00',
    );
  });

  it('share no context between cards, versions, algorithms, uses and lengths', () => {
    const contexts = new Set<string>();
    for (const cardId of ['0190a5f0-0000-7000-8000-000000000001', '0190a5f0-0000-7000-8000-000000000002']) {
      for (const keyVersion of [1, 2, 12]) {
        for (const algorithm of ['hmac-sha256', 'aes-256'] as const) {
          for (const use of ['administrator-key', 'tpm-seed-value'] as const) {
            for (const length of [16, 32]) {
              contexts.add(show(administratorKeyContext({ cardId, keyVersion, algorithm }, use, length)));
            }
          }
        }
      }
    }
    expect(contexts.size).toBe(2 * 3 * 2 * 2 * 2);
  });
});
