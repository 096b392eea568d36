import { createCipheriv } from 'node:crypto';

const BLOCK = 16;
/** The constant of the field GF(2^128): NIST SP 800-38B section 5.3. */
const RB = 0x87;

/**
 * AES-CMAC, NIST SP 800-38B and RFC 4493. Node has none of its own.
 * @param key 16, 24 or 32 bytes; lent.
 * @param padded  true: the message is whole blocks already, its last one ends with padding, and so takes subkey K2.
 * @returns 16 bytes.
 */
export function aesCmac(key: Uint8Array, message: Uint8Array, padded = false): Uint8Array {
  const [k1, k2] = subkeys(key);
  const whole = message.length > 0 && message.length % BLOCK === 0;
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
  const input = Buffer.alloc(blocks * BLOCK);
  input.set(message);
  if (!whole) input[message.length] = 0x80;
  const last = input.subarray(-BLOCK);
  xorInto(last, whole && !padded ? k1 : k2);
  // The last block of CBC with a zero IV is the MAC.
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, new Uint8Array(BLOCK));
  cipher.setAutoPadding(false);
  const encrypted = cipher.update(input);
  const mac = Uint8Array.from(encrypted.subarray(-BLOCK));
  for (const bytes of [encrypted, input, k1, k2]) bytes.fill(0);
  return mac;
}

function subkeys(key: Uint8Array): [Uint8Array, Uint8Array] {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
  cipher.setAutoPadding(false);
  const zero = cipher.update(new Uint8Array(BLOCK));
  const k1 = doubled(zero);
  zero.fill(0);
  return [k1, doubled(k1)];
}

/** Multiplication by x in GF(2^128). */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK);
  for (let at = 0; at < BLOCK; at++) result[at] = ((block[at] ?? 0) << 1) | ((block[at + 1] ?? 0) >> 7);
  if (((block[0] ?? 0) & 0x80) !== 0) result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ RB;
  return result;
}

function xorInto(target: Uint8Array, other: Uint8Array): void {
  for (let at = 0; at < target.length; at++) target[at] = (target[at] ?? 0) ^ (other[at] ?? 0);
}
