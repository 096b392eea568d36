import { createCipheriv } from 'node:crypto';

/** Block ciphers with the constant of their field: GF(2^128) and GF(2^64), NIST SP 800-38B section 5.3. */
const AES = { block: 16, rb: 0x87, name: (key: Uint8Array) => `aes-${key.length * 8}`, ecb: '-ecb' } as const;
const TDES = { block: 8, rb: 0x1b, name: () => 'des-ede3', ecb: '' } as const;
type BlockCipher = typeof AES | typeof TDES;

/**
 * AES-CMAC, NIST SP 800-38B and RFC 4493. Node has none of its own.
 * @param key 16, 24 or 32 bytes; lent.
 * @param padded  true: the message is whole blocks already, its last one ends with padding, and so takes subkey K2.
 * @returns 16 bytes.
 */
export function aesCmac(key: Uint8Array, message: Uint8Array, padded = false): Uint8Array {
  return cmac(AES, key, message, padded);
}

/** The same with three-key TDES: key of 24 bytes, MAC of 8. */
export function tdesCmac(key: Uint8Array, message: Uint8Array, padded = false): Uint8Array {
  return cmac(TDES, key, message, padded);
}

function cmac(by: BlockCipher, key: Uint8Array, message: Uint8Array, padded: boolean): Uint8Array {
  const { block } = by;
  const [k1, k2] = subkeys(by, key);
  const whole = message.length > 0 && message.length % block === 0;
  const blocks = Math.max(1, Math.ceil(message.length / block));
  const input = Buffer.alloc(blocks * block);
  input.set(message);
  if (!whole) input[message.length] = 0x80;
  const last = input.subarray(-block);
  xorInto(last, whole && !padded ? k1 : k2);
  // The last block of CBC with a zero IV is the MAC.
  const cipher = createCipheriv(`${by.name(key)}-cbc`, key, new Uint8Array(block));
  cipher.setAutoPadding(false);
  const encrypted = cipher.update(input);
  const mac = Uint8Array.from(encrypted.subarray(-block));
  for (const bytes of [encrypted, input, k1, k2]) bytes.fill(0);
  return mac;
}

function subkeys(by: BlockCipher, key: Uint8Array): [Uint8Array, Uint8Array] {
  const cipher = createCipheriv(`${by.name(key)}${by.ecb}`, key, null);
  cipher.setAutoPadding(false);
  const zero = cipher.update(new Uint8Array(by.block));
  const k1 = doubled(zero, by.rb);
  zero.fill(0);
  return [k1, doubled(k1, by.rb)];
}

/** Multiplication by x in the field of the block. */
function doubled(block: Uint8Array, rb: number): Uint8Array {
  const last = block.length - 1;
  const result = new Uint8Array(block.length);
  for (let at = 0; at <= last; at++) result[at] = ((block[at] ?? 0) << 1) | ((block[at + 1] ?? 0) >> 7);
  if (((block[0] ?? 0) & 0x80) !== 0) result[last] = (result[last] ?? 0) ^ rb;
  return result;
}

function xorInto(target: Uint8Array, other: Uint8Array): void {
  for (let at = 0; at < target.length; at++) target[at] = (target[at] ?? 0) ^ (other[at] ?? 0);
}
