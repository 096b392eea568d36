import { DomainError } from '@cardwright/protocol';
import { aesCmac, tdesCmac } from './cmac.ts';
import { counterModeHmac } from './derivation.ts';
import { KEY_BYTES } from './key-text.ts';
import type { FleetDerivation, ImportableAlgorithm } from './operations.ts';

/** AN10922 pads to two blocks, the constant included: of AES, and of TDES. */
const [AN10922_BYTES, AN10922_TDES_BYTES] = [32, 16];
export const MAX_DIVERSIFIER_BYTES = 31;

/**
 * The key that another system derived for its card from the master key of its fleet.
 *
 * - `an10922`: NXP AN10922, sections 2.2 to 2.4: AES-CMAC over constant || diversifier, padded to 32 bytes; of a three-key
 *   TDES key, TDES-CMAC, padded to 16. Parity bits, in which such cards keep the version of a key, are left as they come.
 * - `dogtag`: HMAC-SHA-256(master, i || 04 || 00 || CUID || 0180), i one byte (SP 800-108 in counter mode, r = 8); the key
 *   is the beginning of those 384 bits.
 * @param diversifier 1 to 31 bytes, of TDES by AN10922 1 to 15: what the other system diversified by (UID, application and key ids; the CUID).
 * @throws DomainError (unprocessable) `derivation-algorithm`, `derivation-diversifier`.
 */
export function fleetKey(
  master: Uint8Array,
  derivation: FleetDerivation,
  algorithm: ImportableAlgorithm,
  diversifier: Uint8Array,
): Uint8Array {
  if (diversifier.length === 0 || diversifier.length > MAX_DIVERSIFIER_BYTES) {
    throw new DomainError(
      'unprocessable',
      'derivation-diversifier',
      `The diversifier has ${diversifier.length} bytes; 1 to ${MAX_DIVERSIFIER_BYTES} are right.`,
    );
  }
  return derivation === 'dogtag' ? dogtag(master, algorithm, diversifier) : an10922(master, algorithm, diversifier);
}

function dogtag(master: Uint8Array, algorithm: ImportableAlgorithm, cuid: Uint8Array): Uint8Array {
  const fixed = Buffer.concat([Buffer.from([0x04, 0x00]), cuid, Buffer.from([0x01, 0x80])]);
  return counterModeHmac(master, fixed, KEY_BYTES[algorithm], 1);
}

const AN10922_CONSTANTS = { 'aes-128': [0x01], 'aes-192': [0x11, 0x12], 'aes-256': [0x41, 0x42] } as const;

function an10922(master: Uint8Array, algorithm: ImportableAlgorithm, diversifier: Uint8Array): Uint8Array {
  if (master.length !== KEY_BYTES[algorithm]) {
    throw new DomainError(
      'unprocessable',
      'derivation-algorithm',
      'AN10922 derives a key from a master key of the same algorithm and length.',
    );
  }
  if (algorithm === 'tdes') return an10922Tdes(master, diversifier);
  const [first = new Uint8Array(0), second] = AN10922_CONSTANTS[algorithm].map((constant) => {
    const input = new Uint8Array(AN10922_BYTES);
    input[0] = constant;
    input.set(diversifier, 1);
    const used = diversifier.length + 1;
    if (used < AN10922_BYTES) input[used] = 0x80;
    return aesCmac(master, input, used < AN10922_BYTES);
  });
  if (second === undefined) return first;
  if (algorithm === 'aes-256') return join(first, second);
  // Section 2.3: the halves overlap in eight bytes, which are added.
  const middle = first.slice(8).map((byte, at) => byte ^ (second[at] ?? 0));
  return join(first.subarray(0, 8), middle, second.subarray(8));
}

function an10922Tdes(master: Uint8Array, diversifier: Uint8Array): Uint8Array {
  if (diversifier.length >= AN10922_TDES_BYTES) {
    throw new DomainError(
      'unprocessable',
      'derivation-diversifier',
      `The diversifier has ${diversifier.length} bytes; for TDES by AN10922 1 to ${AN10922_TDES_BYTES - 1} are right.`,
    );
  }
  const parts = [0x31, 0x32, 0x33].map((constant) => {
    const input = new Uint8Array(AN10922_TDES_BYTES);
    input[0] = constant;
    input.set(diversifier, 1);
    const used = diversifier.length + 1;
    if (used < AN10922_TDES_BYTES) input[used] = 0x80;
    return tdesCmac(master, input, used < AN10922_TDES_BYTES);
  });
  return join(...parts);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
