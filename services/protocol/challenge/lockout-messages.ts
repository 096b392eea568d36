import { NONCE_BYTES, TAG_BYTES } from './messages.ts';

/**
 * The bytes of the challenge of a locked TPM and of its response. The first byte keeps them apart from those of a card.
 *
 *     challenge  81 | deviceTag (2) | nonce (16)
 *     response   81 | challengeTag (2) | signature (64: r, s)
 *
 * deviceTag is the start of SHA-256 of the device's id, challengeTag the start of SHA-256 of the challenge; both are a
 * courtesy to people, as with a card.
 */
const FORMAT = 0x81;
export const LOCKOUT_SIGNATURE_BYTES = 64;
export const LOCKOUT_CHALLENGE_BYTES = 1 + TAG_BYTES + NONCE_BYTES;
export const LOCKOUT_RESPONSE_BYTES = 1 + TAG_BYTES + LOCKOUT_SIGNATURE_BYTES;

export function packLockoutChallenge(challenge: { deviceTag: Uint8Array; nonce: Uint8Array }): Uint8Array {
  return pack(challenge.deviceTag, challenge.nonce, NONCE_BYTES);
}

export function packLockoutResponse(response: { challengeTag: Uint8Array; signature: Uint8Array }): Uint8Array {
  return pack(response.challengeTag, response.signature, LOCKOUT_SIGNATURE_BYTES);
}

/** Undefined when the length or the first byte is another. */
export function unpackLockoutChallenge(bytes: Uint8Array): { deviceTag: Uint8Array; nonce: Uint8Array } | undefined {
  if (bytes.length !== LOCKOUT_CHALLENGE_BYTES || bytes[0] !== FORMAT) return undefined;
  return { deviceTag: bytes.slice(1, 1 + TAG_BYTES), nonce: bytes.slice(1 + TAG_BYTES) };
}

/** Undefined when the length or the first byte is another. */
export function unpackLockoutResponse(
  bytes: Uint8Array,
): { challengeTag: Uint8Array; signature: Uint8Array } | undefined {
  if (bytes.length !== LOCKOUT_RESPONSE_BYTES || bytes[0] !== FORMAT) return undefined;
  return { challengeTag: bytes.slice(1, 1 + TAG_BYTES), signature: bytes.slice(1 + TAG_BYTES) };
}

function pack(tag: Uint8Array, rest: Uint8Array, length: number): Uint8Array {
  if (tag.length !== TAG_BYTES || rest.length !== length) throw new RangeError('a field has another length');
  return Uint8Array.from([FORMAT, ...tag, ...rest]);
}
