import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import {
  type CardResponse,
  decodeLines,
  packChallenge,
  RESPONSE_BYTES,
  TAG_BYTES,
  unpackResponse,
} from '@cardwright/protocol/challenge';

/** The challenge of one card as bytes: what `encodeLines` shows. */
export function challengeBytes(
  serial: string,
  nonces: { readonly resetNonce: Uint8Array; readonly writeNonce: Uint8Array },
): Uint8Array {
  const { resetNonce, writeNonce } = nonces;
  return packChallenge({ cardTag: cardTag(serial), resetNonce, writeNonce });
}

/**
 * Reads a response and checks that it is meant for this card and this challenge, so that a mix-up is named before the
 * card is asked. It is the card itself that refuses a forged one. Throws, kind `unprocessable`: `response-mistyped`
 * (data.line, from 1; 0 is the whole), `response-for-another-card`, `response-for-another-challenge`.
 */
export function readResponse(typed: string, serial: string, challenge: Uint8Array): CardResponse {
  const decoded = decodeLines(typed, RESPONSE_BYTES);
  if (!decoded.ok) throw mistyped(decoded.line, decoded.detail);
  const response = unpackResponse(decoded.bytes);
  if (response === undefined) throw mistyped(0, 'its first character stands for another kind of response');
  if (!same(response.cardTag, cardTag(serial))) {
    throw new DomainError(
      'unprocessable',
      'response-for-another-card',
      `This response is for another card, not ${serial}. Tell the operator this card's serial and the challenge again.`,
    );
  }
  if (!same(response.challengeTag, tag(challenge))) {
    throw new DomainError(
      'unprocessable',
      'response-for-another-challenge',
      'This response answers another challenge, perhaps an earlier one. Read the challenge that is shown now to the operator.',
    );
  }
  return response;
}

export function mistyped(line: number, detail: string): DomainError {
  const where = line === 0 ? 'The response' : `Line ${line} of the response`;
  return new DomainError('unprocessable', 'response-mistyped', `${where} is not right: ${detail}.`, { data: { line } });
}

const cardTag = (serial: string) => tag(Buffer.from(serial, 'utf8'));
const tag = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest().subarray(0, TAG_BYTES));
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
