import { createDecipheriv, createECDH, createHash, createHmac, type ECDH } from 'node:crypto';
import type { KeyForTpm } from '@cardwright/vault';

/**
 * A storage key without a TPM: what an attacker would name as a parent, and what shows a test the key that was wrapped.
 * Written from TPM 2.0 part 1, section 23.3 and annex C, and from nothing that the product computes with.
 */
export interface SoftParent {
  /** TPM2B_PUBLIC of a P-256 storage key. */
  readonly public: Uint8Array;
  /** Opens what was wrapped to this parent; throws if its integrity is wrong. */
  unwrap(wrapped: KeyForTpm): { key: Buffer; seedValue: Buffer };
}

export function softParent(): SoftParent {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys();
  const area = Buffer.concat([
    Buffer.from('0023000b000304720000', 'hex'), // ECC, SHA-256, restricted decrypt fixed to its TPM, no policy
    Buffer.from('00060080004300100003', 'hex'), // AES-128-CFB, no scheme, P-256
    Buffer.from('0010', 'hex'), // no KDF
    sized(point.subarray(1, 33)),
    sized(point.subarray(33, 65)),
  ]);
  return { public: sized(area), unwrap: (wrapped) => unwrap(wrapped, ecdh, point.subarray(1, 33)) };
}

function unwrap(wrapped: KeyForTpm, ecdh: ECDH, parentX: Buffer): { key: Buffer; seedValue: Buffer } {
  const secret = Buffer.from(wrapped.inSymSeed);
  const [encrypted] = take(secret);
  const [x, rest] = take(encrypted.length === 68 ? encrypted : secret);
  const [y] = take(rest);
  const z = ecdh.computeSecret(Buffer.concat([Buffer.from([4]), x, y]));
  const seed = sha256(u32(1), z, Buffer.from('DUPLICATE\0'), x, parentX);
  const [outer] = take(Buffer.from(wrapped.duplicate));
  const [integrity, enciphered] = take(outer);
  const name = Buffer.from(wrapped.name);
  const macKey = hmac(seed, u32(1), Buffer.from('INTEGRITY\0'), u32(256));
  if (!hmac(macKey, enciphered, name).equals(integrity)) throw new Error('the integrity of the duplicate is wrong');
  const symmetric = hmac(seed, u32(1), Buffer.from('STORAGE\0'), name, u32(128)).subarray(0, 16);
  const clear = createDecipheriv('aes-128-cfb', symmetric, Buffer.alloc(16)).update(enciphered);
  const [sensitive] = take(clear);
  const [, afterAuth] = take(sensitive.subarray(2));
  const [seedValue, afterSeed] = take(afterAuth);
  const [key] = take(afterSeed);
  return { key, seedValue };
}

/** What TPM2_PolicySigned checks (part 3, section 23.3). */
export function policySigned(key: Buffer, nonce: Uint8Array, cpHash: Buffer, ref: string): string {
  return hmac(key, sha256(Buffer.from(nonce), u32(900), cpHash, Buffer.from(ref))).toString('hex');
}

/** cpHash of TPM2_NV_Write of `0 || limit`, authorised by the index itself. */
export function writeCpHash(indexName: Uint8Array, pinLimit: number): Buffer {
  const name = Buffer.from(indexName);
  return sha256(u32(0x137), name, name, sized(Buffer.concat([u32(0), u32(pinLimit)])), Buffer.alloc(2));
}

export function hmac(key: Uint8Array, ...parts: Buffer[]): Buffer {
  return createHmac('sha256', key).update(Buffer.concat(parts)).digest();
}

export function sha256(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function take(bytes: Buffer): [taken: Buffer, rest: Buffer] {
  const end = 2 + bytes.readUInt16BE(0);
  if (end > bytes.length) throw new Error('a TPM2B is longer than what holds it');
  return [bytes.subarray(2, end), bytes.subarray(end)];
}
