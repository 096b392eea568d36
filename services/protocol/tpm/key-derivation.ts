import { DomainError } from '../errors.ts';
import { hashWith, hmacWith, type TpmHash } from './hashing.ts';
import { type Bytes, concat, u32 } from './wire.ts';

const text = new TextEncoder();

/** Part 1, section 11.4.10.2 (SP 800-108 counter mode, HMAC). `bits` a multiple of 8. */
export function kdfa(
  key: Bytes,
  label: string,
  contextU: Bytes,
  contextV: Bytes,
  bits: number,
  hash: TpmHash = 'sha256',
): Bytes {
  const fixed = concat(text.encode(label), Uint8Array.of(0), contextU, contextV, u32(bits));
  return blocks(bits, (counter) => hmacWith(hash, key, u32(counter), fixed));
}

/** Part 1, section 11.4.10.3 (SP 800-56A concatenation). `partyU` and `partyV` are x-coordinates. */
export function kdfe(
  z: Bytes,
  label: string,
  partyU: Bytes,
  partyV: Bytes,
  bits: number,
  hash: TpmHash = 'sha256',
): Bytes {
  const fixed = concat(z, text.encode(label), Uint8Array.of(0), partyU, partyV);
  return blocks(bits, (counter) => hashWith(hash, u32(counter), fixed));
}

function blocks(bits: number, block: (counter: number) => Bytes): Bytes {
  if (!Number.isInteger(bits) || bits < 8 || bits % 8 !== 0 || bits > 4096) {
    throw new DomainError('internal', 'kdf-bits-invalid', 'A key has 8 to 4096 bits, a multiple of 8.');
  }
  const parts: Bytes[] = [];
  for (let filled = 0; filled < bits / 8; filled += parts.at(-1)?.length ?? 0) parts.push(block(parts.length + 1));
  const out = concat(...parts);
  return out.slice(0, bits / 8);
}
