import {
  CHALLENGE_BYTES,
  characterValue,
  decodeLine,
  fromValues,
  lineLengths,
  parseHexChallenge,
} from '@cardwright/protocol/challenge';
import type { Card } from '../app/contract.ts';
import { inGroups } from '../ui/format.ts';

/** How the card of a caller shows its challenge. */
export type ChallengeFormat =
  | { readonly kind: 'base32'; readonly bytes: number; readonly lengths: readonly number[] }
  | {
      readonly kind: 'hex';
      readonly blockBytes: number;
      readonly maxBytes: number;
      readonly lengths: readonly number[];
    };

const MOST_HEX_BYTES = 64;

export function challengeFormatOf(card: Pick<Card, 'kind' | 'algorithm'>): ChallengeFormat {
  if (card.kind === 'tpm') {
    return { kind: 'base32', bytes: CHALLENGE_BYTES, lengths: lineLengths(CHALLENGE_BYTES) };
  }
  const blockBytes = card.algorithm === 'tdes' ? 8 : 16;
  return { kind: 'hex', blockBytes, maxBytes: MOST_HEX_BYTES, lengths: [blockBytes * 2] };
}

/** What is to be said of one typed line. `partial` is not yet an error while it is being typed. */
export type LineState =
  | { readonly state: 'empty' | 'right' }
  | { readonly state: 'partial' | 'wrong'; readonly detail: string };

const bare = (text: string) => text.replace(/[\s-]/g, '');

/** @param index of the line, from 0 */
export function checkLine(format: ChallengeFormat, index: number, text: string): LineState {
  const characters = [...bare(text)];
  if (characters.length === 0) return { state: 'empty' };
  if (format.kind === 'hex') {
    const parsed = parseHexChallenge(text, format);
    if (parsed.ok) return { state: 'right' };
    const partial = /^[0-9a-f]*$/i.test(bare(text)) && characters.length < format.maxBytes * 2;
    return { state: partial ? 'partial' : 'wrong', detail: parsed.detail };
  }
  const length = format.lengths[index] ?? 0;
  const decoded = decodeLine(text, index, length);
  if (decoded.ok) return { state: 'right' };
  const stranger = characters.findIndex((character) => characterValue(character) === undefined);
  if (stranger >= 0) {
    // of a short line the length would be named first; the character that can't be right is what helps while typing
    return {
      state: 'wrong',
      detail: `character ${stranger + 1} (${characters[stranger]}) is never part of a challenge`,
    };
  }
  return { state: characters.length < length ? 'partial' : 'wrong', detail: decoded.detail };
}

/** True when all lines are right: the text may be sent. */
export function isComplete(format: ChallengeFormat, lines: readonly string[]): boolean {
  if (!format.lengths.every((_, index) => checkLine(format, index, lines[index] ?? '').state === 'right')) return false;
  if (format.kind === 'hex') return true;
  const values = format.lengths.flatMap((length, index) => {
    const decoded = decodeLine(lines[index] ?? '', index, length);
    return decoded.ok ? decoded.values : [];
  });
  return fromValues(values, format.bytes) !== undefined;
}

/**
 * The lines after one field changed. Typing at the end keeps the groups of four; a change in the middle is left as
 * typed, or the caret would jump; more than a line (a paste) flows into the lines below.
 */
export function retype(format: ChallengeFormat, lines: readonly string[], index: number, typed: string): string[] {
  const next = [...lines];
  const before = lines[index] ?? '';
  const length = format.lengths[index] ?? 0;
  if (format.kind === 'base32' && bare(typed).length > length && index < format.lengths.length - 1) {
    let left = bare(typed);
    for (let at = index; at < format.lengths.length && left.length > 0; at += 1) {
      const room = at === format.lengths.length - 1 ? left.length : (format.lengths[at] ?? 0);
      next[at] = inGroups(left.slice(0, room));
      left = left.slice(room);
    }
    return next;
  }
  const atTheEnd = typed.startsWith(before) || before.startsWith(typed);
  next[index] = atTheEnd ? inGroups(typed) : typed;
  return next;
}
