import { ALPHABET, characterValue, toValues } from '../challenge/crockford.ts';

/**
 * The code that opens the sealed first PIN of a card: 80 random bits as 16 characters of Crockford base32 in four groups
 * (`7K3M-92QF-XD4T-0B8N`). It goes from the operator to the person, and not with the device. Longer than an enrolment code,
 * so that neither is taken for the other.
 */
const CHARACTERS = 16;
const RANDOM_BYTES = 10;
/** What a person may type around the characters: spaces, hyphens, dots, a line's end. */
const MAX_TYPED = 64;

/** Without its hyphens. */
export type HandOverCode = string & { readonly __brand: 'HandOverCode' };

export function makeHandOverCode(randomBytes: (length: number) => Uint8Array): HandOverCode {
  return toValues(randomBytes(RANDOM_BYTES))
    .map((value) => ALPHABET[value])
    .join('') as HandOverCode;
}

/** Forgives case, spacing, O for 0, I and L for 1. Undefined when it can't be such a code. */
export function parseHandOverCode(typed: string): HandOverCode | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const values = [...typed.replace(/[\s.-]/g, '')].map(characterValue);
  if (values.length !== CHARACTERS || values.includes(undefined)) return undefined;
  return values.map((value) => ALPHABET[value ?? 0]).join('') as HandOverCode;
}

export function showHandOverCode(code: HandOverCode): string {
  return code.match(/.{4}/g)?.join('-') ?? '';
}
