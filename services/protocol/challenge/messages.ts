/**
 * The bytes of a TPM card's challenge and response. Both carry tags, so that a response for another card or for an
 * earlier challenge is recognised by name before the TPM is asked. The tags are a courtesy to people: it is the TPM
 * that refuses a forged response, tags right or not.
 *
 *     challenge  01 | cardTag (2) | reset nonce (16) | write nonce (16)
 *     response   01 | cardTag (2) | challengeTag (2) | reset answer (32) | write answer (32)
 *
 * cardTag is the start of SHA-256 of the card's serial in UTF-8, challengeTag the start of SHA-256 of the challenge.
 * Hashes are made by the caller: this folder also runs in browsers.
 */
export const FORMAT_VERSION = 1;
export const TAG_BYTES = 2;
export const NONCE_BYTES = 16;
export const ANSWER_BYTES = 32;
export const CHALLENGE_BYTES = 1 + TAG_BYTES + 2 * NONCE_BYTES;
export const RESPONSE_BYTES = 1 + 2 * TAG_BYTES + 2 * ANSWER_BYTES;

export interface CardChallenge {
  readonly cardTag: Uint8Array;
  readonly resetNonce: Uint8Array;
  readonly writeNonce: Uint8Array;
}

export interface CardResponse {
  readonly cardTag: Uint8Array;
  readonly challengeTag: Uint8Array;
  readonly resetAnswer: Uint8Array;
  readonly writeAnswer: Uint8Array;
}

export function packChallenge(challenge: CardChallenge): Uint8Array {
  return join([challenge.cardTag, TAG_BYTES], [challenge.resetNonce, NONCE_BYTES], [challenge.writeNonce, NONCE_BYTES]);
}

export function packResponse(response: CardResponse): Uint8Array {
  return join(
    [response.cardTag, TAG_BYTES],
    [response.challengeTag, TAG_BYTES],
    [response.resetAnswer, ANSWER_BYTES],
    [response.writeAnswer, ANSWER_BYTES],
  );
}

/** Undefined when the length or the format's version is another. */
export function unpackChallenge(bytes: Uint8Array): CardChallenge | undefined {
  if (bytes.length !== CHALLENGE_BYTES || bytes[0] !== FORMAT_VERSION) return undefined;
  const [cardTag, resetNonce, writeNonce] = cut(bytes, [TAG_BYTES, NONCE_BYTES, NONCE_BYTES]);
  return { cardTag, resetNonce, writeNonce } as CardChallenge;
}

/** Undefined when the length or the format's version is another. */
export function unpackResponse(bytes: Uint8Array): CardResponse | undefined {
  if (bytes.length !== RESPONSE_BYTES || bytes[0] !== FORMAT_VERSION) return undefined;
  const [cardTag, challengeTag, resetAnswer, writeAnswer] = cut(bytes, [
    TAG_BYTES,
    TAG_BYTES,
    ANSWER_BYTES,
    ANSWER_BYTES,
  ]);
  return { cardTag, challengeTag, resetAnswer, writeAnswer } as CardResponse;
}

function join(...parts: [Uint8Array, number][]): Uint8Array {
  const out = [FORMAT_VERSION];
  for (const [part, length] of parts) {
    if (part.length !== length) throw new RangeError(`a field of ${length} bytes has ${part.length}`);
    out.push(...part);
  }
  return Uint8Array.from(out);
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let end = 1;
  return lengths.map((length) => {
    end += length;
    return bytes.slice(end - length, end);
  });
}
