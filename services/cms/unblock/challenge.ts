import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import {
  CHALLENGE_BYTES,
  type Decoded,
  decodeLines,
  encodeLines,
  formatHex,
  packResponse,
  parseHexChallenge,
  TAG_BYTES,
  unpackChallenge,
} from '@cardwright/protocol/challenge';

/** What must be known of a card to read its challenges. */
export interface ChallengedCard {
  readonly serial: string;
  readonly kind: 'tpm' | 'minidriver';
  readonly algorithm: string;
}

export type Challenge =
  | {
      readonly kind: 'tpm';
      readonly bytes: Uint8Array;
      readonly resetNonce: Uint8Array;
      readonly writeNonce: Uint8Array;
    }
  | { readonly kind: 'minidriver'; readonly bytes: Uint8Array };

/** The vault's bound: more blocks than any minidriver card asks for. */
const MAX_MINIDRIVER_BYTES = 64;
const blockBytes = (algorithm: string) => (algorithm === 'tdes' ? 8 : 16);

const sha256 = (...parts: (Uint8Array | string)[]) =>
  parts.reduce<ReturnType<typeof createHash>>((hash, part) => hash.update(part), createHash('sha256')).digest();

/** How the caller should read the challenge out; `bytes` before encoding. */
export function challengeFormat(card: ChallengedCard): { readonly kind: 'base32' | 'hex'; readonly bytes: number } {
  return card.kind === 'tpm'
    ? { kind: 'base32', bytes: CHALLENGE_BYTES }
    : { kind: 'hex', bytes: blockBytes(card.algorithm) };
}

/** The same challenge always has the same hash, however it was typed: that is how a replay is known. */
export function challengeHash(challenge: Challenge): Uint8Array {
  return sha256(challenge.bytes);
}

/**
 * @throws DomainError (unprocessable) `challenge-malformed`, with the line and what was expected;
 *   `challenge-for-another-card`.
 */
export function parseChallenge(card: ChallengedCard, typed: string): Challenge {
  if (card.kind === 'minidriver') {
    const size = blockBytes(card.algorithm);
    const bytes = accepted(parseHexChallenge(typed, { blockBytes: size, maxBytes: MAX_MINIDRIVER_BYTES }));
    return { kind: 'minidriver', bytes };
  }
  const bytes = accepted(decodeLines(typed, CHALLENGE_BYTES));
  const message = unpackChallenge(bytes);
  if (message === undefined) throw malformed(0, 'the challenge is of another format version; update the agent');
  if (!Buffer.from(message.cardTag).equals(cardTag(card.serial))) {
    throw new DomainError(
      'unprocessable',
      'challenge-for-another-card',
      `This challenge was made by another card than ${card.serial}; compare the serial that the device shows.`,
      { fields: [{ pointer: '/challenge', detail: 'made by another card' }] },
    );
  }
  return { kind: 'tpm', bytes, resetNonce: message.resetNonce, writeNonce: message.writeNonce };
}

/** What the caller types into the TPM card: lines of base32. */
export function tpmResponse(
  card: ChallengedCard,
  challenge: Challenge,
  answers: { readonly resetAnswer: Uint8Array; readonly writeAnswer: Uint8Array },
): string[] {
  const challengeTag = challengeHash(challenge).subarray(0, TAG_BYTES);
  return encodeLines(packResponse({ cardTag: cardTag(card.serial), challengeTag, ...answers }));
}

/** What the caller types into the minidriver card's screen: one line of hex groups. */
export function minidriverResponse(response: Uint8Array): string[] {
  return [formatHex(response)];
}

function cardTag(serial: string): Buffer {
  return sha256(serial).subarray(0, TAG_BYTES);
}

function accepted(decoded: Decoded): Uint8Array {
  if (!decoded.ok) throw malformed(decoded.line, decoded.detail);
  return decoded.bytes;
}

function malformed(line: number, detail: string): DomainError {
  const where = line === 0 ? detail : `line ${line}: ${detail}`;
  return new DomainError('unprocessable', 'challenge-malformed', `The challenge was not typed as shown: ${where}.`, {
    data: { line },
    fields: [{ pointer: '/challenge', detail: where }],
  });
}
