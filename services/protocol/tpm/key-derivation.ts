import { DomainError } from '../errors.ts';
import { DIGEST_BYTES, hmacSha256, sha256 } from './hashing.ts';
import { type Bytes, concat, u32 } from './wire.ts';

const text = new TextEncoder();

/** Part 1, section 11.4.10.2 (SP 800-108 counter mode, HMAC-SHA-256). `bits` a multiple of 8. */
export function kdfa(key: Bytes, label: string, contextU: Bytes, contextV: Bytes, bits: number): Bytes {
  const fixed = concat(text.encode(label), Uint8Array.of(0), contextU, contextV, u32(bits));
  return blocks(bits, (counter) => hmacSha256(key, u32(counter), fixed));
}

/** Part 1, section 11.4.10.3 (SP 800-56A concatenation). `partyU` and `partyV` are x-coordinates. */
export function kdfe(z: Bytes, label: string, partyU: Bytes, partyV: Bytes, bits: number): Bytes {
  const fixed = concat(z, text.encode(label), Uint8Array.of(0), partyU, partyV);
  return blocks(bits, (counter) => sha256(u32(counter), fixed));
}

function blocks(bits: number, block: (counter: number) => Bytes): Bytes {
  if (!Number.isInteger(bits) || bits < 8 || bits % 8 !== 0 || bits > 4096) {
    throw new DomainError('internal', 'kdf-bits-invalid', 'A key has 8 to 4096 bits, a multiple of 8.');
  }
  const out = new Uint8Array(Math.ceil(bits / 8 / DIGEST_BYTES) * DIGEST_BYTES);
  for (let i = 0; i * DIGEST_BYTES < out.length; i++) out.set(block(i + 1), i * DIGEST_BYTES);
  return out.slice(0, bits / 8);
}
