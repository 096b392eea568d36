import { ALPHABET } from '@cardwright/protocol/challenge';
import { expect, it } from 'vitest';
import { en } from '../texts/en.ts';
import { spokenWords } from './spoken.ts';

it('reads a code a word a character', () => {
  expect(spokenWords('7k3M 9-0z', en.spoken)).toEqual(['seven', 'Kilo', 'three', 'Mike', 'nine', 'zero', 'Zulu']);
});

it('has a word of its own for every character that a response can have', () => {
  const said = spokenWords(ALPHABET, en.spoken);
  expect(said.every((word) => word.length > 1)).toBe(true);
  expect(new Set(said).size).toBe(ALPHABET.length);
});
