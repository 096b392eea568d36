import { createHash } from 'node:crypto';
import { ALPHABET, characterValue, toValues } from '@cardwright/protocol/challenge';

/**
 * The one-time code that a person carries from the operator to the device: 60 random bits as 12 characters of Crockford
 * base32 in three groups (`7K3M-92QF-XD4T`). There is no check character: a wrong code is simply unknown.
 */
const CHARACTERS = 12;
const RANDOM_BYTES = 8;
/** What a person may type around the characters: spaces, hyphens, dots, a line's end. */
const MAX_TYPED = 64;

export const DEFAULT_VALIDITY_SECONDS = 24 * 3600;
export const MIN_VALIDITY_SECONDS = 60;
export const MAX_VALIDITY_SECONDS = 14 * 24 * 3600;

/** The code without its hyphens. Only its hash is ever stored. */
export type EnrolmentCode = string & { readonly __brand: 'EnrolmentCode' };

export function makeCode(randomBytes: (length: number) => Uint8Array): EnrolmentCode {
  const values = toValues(randomBytes(RANDOM_BYTES)).slice(0, CHARACTERS);
  return values.map((value) => ALPHABET[value]).join('') as EnrolmentCode;
}

/** Forgives case, spacing, O for 0, I and L for 1. Undefined when it can't be a code. */
export function parseCode(typed: string): EnrolmentCode | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const values = [...typed.replace(/[\s.-]/g, '')].map(characterValue);
  if (values.length !== CHARACTERS) return undefined;
  let code = '';
  for (const value of values) {
    if (value === undefined) return undefined;
    code += ALPHABET[value];
  }
  return code as EnrolmentCode;
}

export function showCode(code: EnrolmentCode): string {
  return code.match(/.{4}/g)?.join('-') ?? '';
}

/**
 * A plain hash is enough: 60 random bits can't be searched in the hours a code lives, and a slow hash would only make
 * the public claim route expensive.
 */
export function codeHash(code: EnrolmentCode): Uint8Array {
  return createHash('sha256').update(`cardwright enrolment code\0${code}`, 'utf8').digest();
}
