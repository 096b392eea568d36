import { decodeLines, TAG_BYTES, unpackChallenge } from '@cardwright/protocol/challenge';
import type { ChallengeFormat } from './challenge-input.ts';

/**
 * Whether a challenge of a TPM card carries the tag of the card with this serial. `unknown` where the browser has no
 * SHA-256 for pages (plain http) or the format has no tag; the server judges in any case.
 * @param text the lines as typed
 */
export async function challengeIsOf(
  serial: string,
  format: ChallengeFormat,
  text: string,
): Promise<'this-card' | 'another-card' | 'unknown'> {
  if (format.kind !== 'base32' || globalThis.crypto?.subtle === undefined) return 'unknown';
  const decoded = decodeLines(text, format.bytes);
  const challenge = decoded.ok ? unpackChallenge(decoded.bytes) : undefined;
  if (challenge === undefined) return 'unknown';
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(serial)));
  const same = challenge.cardTag.every((byte, index) => byte === hash[index]) && challenge.cardTag.length === TAG_BYTES;
  return same ? 'this-card' : 'another-card';
}
