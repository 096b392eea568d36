import { createPublicKey, randomBytes, verify } from 'node:crypto';
import {
  lockoutPolicy,
  lockoutResetMessage,
  lockoutResetTerms,
  parsePublicArea,
  policySignedDigest,
  sha256,
} from '@cardwright/protocol/tpm';
import { describe, expect, it } from 'vitest';
import { authorityOf, lockoutPassword, signReset } from './lockout-key.ts';

const seed = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(randomBytes(16));

describe('what follows from the secret of a device', () => {
  it('is the same each time, and another for another secret', () => {
    const other = new Uint8Array(32).fill(8);
    const text = (of: Uint8Array) => lockoutPassword(of).use((bytes) => Buffer.from(bytes).toString('hex'));
    expect(text(seed)).toBe(text(seed));
    expect(text(seed)).not.toBe(text(other));
    expect(authorityOf(seed)).toEqual(authorityOf(seed));
    expect(Buffer.from(lockoutPolicy(authorityOf(seed).name))).not.toEqual(
      Buffer.from(lockoutPolicy(authorityOf(other).name)),
    );
  });

  it('signs one reset of one session, by a key that its public area names', () => {
    const area = parsePublicArea(authorityOf(seed).publicArea);
    if (area.kind !== 'ecc') throw new Error(area.kind);
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: text(area.x), y: text(area.y) } });
    const check = (of: Uint8Array) =>
      verify('sha256', lockoutResetMessage(of), { key, dsaEncoding: 'ieee-p1363' }, signReset(seed, nonce));
    expect(check(nonce)).toBe(true);
    expect(check(new Uint8Array(16))).toBe(false);
    // What is signed is what the TPM makes its aHash of.
    expect(sha256(lockoutResetMessage(nonce))).toEqual(policySignedDigest(lockoutResetTerms(nonce)));
  });
});
