import { DomainError } from '@cardwright/protocol';
import { aesCmac } from './cmac.ts';
import { counterModeHmac } from './derivation.ts';
import { KEY_BYTES } from './key-text.ts';
import type { FleetDerivation, ImportableAlgorithm } from './operations.ts';

/** AN10922 pads to two blocks, the constant included. */
const AN10922_BYTES = 32;
export const MAX_DIVERSIFIER_BYTES = 31;

/**
 * The key that another system derived for its card from the master key of its fleet.
 *
 * - `an10922`: NXP AN10922, sections 2.2 to 2.4: AES-CMAC over constant || diversifier, padded to 32 bytes. AES only.
 * - `dogtag`: HMAC-SHA-256(master, i || 04 || 00 || CUID || 0180), i one byte (SP 800-108 in counter mode, r = 8); the key
 *   is the beginning of those 384 bits.
 * @param diversifier 1 to 31 bytes: what the other system diversified by (UID, application and key ids; the CUID).
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
      `the diversifier has ${diversifier.length} bytes; 1 to ${MAX_DIVERSIFIER_BYTES} are right`,
    );
  }
  return derivation === 'dogtag' ? dogtag(master, algorithm, diversifier) : an10922(master, algorithm, diversifier);
}

/** Bytes of the master of a fleet, or undefined where any length from 16 to 64 is right. */
export function masterBytes(derivation: FleetDerivation, algorithm: ImportableAlgorithm): number | undefined {
  return derivation === 'an10922' ? KEY_BYTES[algorithm] : undefined;
}

function dogtag(master: Uint8Array, algorithm: ImportableAlgorithm, cuid: Uint8Array): Uint8Array {
  const fixed = Buffer.concat([Buffer.from([0x04, 0x00]), cuid, Buffer.from([0x01, 0x80])]);
  return counterModeHmac(master, fixed, KEY_BYTES[algorithm], 1);
}

const AN10922_CONSTANTS = { 'aes-128': [0x01], 'aes-192': [0x11, 0x12], 'aes-256': [0x41, 0x42] } as const;

function an10922(master: Uint8Array, algorithm: ImportableAlgorithm, diversifier: Uint8Array): Uint8Array {
  if (algorithm === 'tdes' || master.length !== KEY_BYTES[algorithm]) {
    throw new DomainError(
      'unprocessable',
      'derivation-algorithm',
      'AN10922 derives an AES key of a length from an AES master key of the same length',
    );
  }
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

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
