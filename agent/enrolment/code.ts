import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { ALPHABET, characterValue } from '@cardwright/protocol/challenge';

/** The longest code that is taken: a typed code has 12 characters and some hyphens. */
const MOST = 64;

/**
 * An enrolment code as the server knows it, whatever case and spacing it was typed in.
 * Throws `enrolment-code-malformed`, without repeating what was typed.
 */
export function normaliseCode(typed: string): string {
  const characters = [...typed.slice(0, MOST + 1).replace(/[\s-]/g, '')].map((character) => {
    const value = characterValue(character);
    return value === undefined ? '' : ALPHABET.charAt(value);
  });
  if (typed.length > MOST || characters.length === 0 || characters.includes('')) {
    throw new DomainError(
      'invalid',
      'enrolment-code-malformed',
      'The enrolment code looks like 7K3M-92QF-XD4T: letters and digits in groups of four. Type it as the operator gave it.',
    );
  }
  return (
    characters
      .join('')
      .match(/.{1,4}/g)
      ?.join('-') ?? ''
  );
}

/** Recognises a code that was typed before, without keeping it: SHA-256, lower-case hexadecimal. */
export function codeDigest(normalised: string): string {
  return createHash('sha256').update(`cardwright enrolment code\n${normalised}`).digest('hex');
}
