import { expect, it } from 'vitest';
import { parsePlainSearch, stringifyPlainSearch } from './plain-search.ts';

it.each(['5e10', '0012', 'true', '"x"', 'a&b=c', 'ä /?#'])('keeps %j as it is', (q) => {
  expect(parsePlainSearch(stringifyPlainSearch({ q }))).toEqual({ q });
});

it('leaves out what is empty', () => {
  expect(stringifyPlainSearch({ q: '', from: undefined })).toBe('');
});
