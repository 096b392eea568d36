import { createECDH, createPrivateKey, hkdfSync, sign } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import { type LockoutAuthority, lockoutAuthority, lockoutResetMessage } from '@cardwright/protocol/tpm';

/** Order of P-256 (SP 800-186, section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const PASSWORD_BYTES = 32;

export const LOCKOUT_SEED_BYTES = 32;

/** The lockout's password, which both set and clear it. @param seed lent. @returns the caller's to wipe. */
export function lockoutPassword(seed: Uint8Array): Secret {
  return Secret.take(expand(seed, 'cardwright lockout password', PASSWORD_BYTES));
}

/** @param seed lent. */
export function authorityOf(seed: Uint8Array): LockoutAuthority {
  return withPrivateKey(seed, (_, { x, y }) => lockoutAuthority({ x, y }));
}

/** r and s of one reset in the session of `nonce`. @param seed lent. */
export function signReset(seed: Uint8Array, nonce: Uint8Array): Uint8Array {
  return withPrivateKey(seed, (scalar, { x, y }) => {
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    const jwk = { kty: 'EC', crv: 'P-256', d: text(scalar), x: text(x), y: text(y) };
    const key = createPrivateKey({ format: 'jwk', key: jwk });
    return new Uint8Array(sign('sha256', lockoutResetMessage(nonce), { key, dsaEncoding: 'ieee-p1363' }));
  });
}

/** FIPS 186-5, appendix A.2.1: 64 bits more than the order has, so that no scalar is likelier than another. */
function withPrivateKey<T>(
  seed: Uint8Array,
  work: (scalar: Uint8Array, point: { x: Uint8Array; y: Uint8Array }) => T,
): T {
  const wide = expand(seed, 'cardwright lockout key', 40);
  const number = (BigInt(`0x${Buffer.from(wide).toString('hex')}`) % (ORDER - 1n)) + 1n;
  const scalar = Buffer.from(number.toString(16).padStart(64, '0'), 'hex');
  const holder = createECDH('prime256v1');
  holder.setPrivateKey(scalar);
  const point = new Uint8Array(holder.getPublicKey());
  try {
    return work(scalar, { x: point.slice(1, 33), y: point.slice(33) });
  } finally {
    wide.fill(0);
    scalar.fill(0);
  }
}

const expand = (seed: Uint8Array, use: string, length: number): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(), use, length));
