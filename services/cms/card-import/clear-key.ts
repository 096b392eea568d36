import type { ImportLine } from './line.ts';

const DIGITS = { tdes: 48, 'aes-128': 32, 'aes-192': 48, 'aes-256': 64 } as const;

/**
 * What is wrong with a key or PUK before it is sealed, for the person who has the file; null where nothing is. The vault
 * checks the same again. Never shows a digit.
 * @param algorithm of the line or of its profile; undefined where neither says it.
 */
export function whyNotSealed({ values }: ImportLine, algorithm: string | undefined): string | null {
  const { administratorKey: key, puk } = values;
  if (puk !== undefined && !/^[\x21-\x7e]{4,127}$/.test(puk)) return 'the PUK is not 4 to 127 visible ASCII characters';
  if (key === undefined) return null;
  const digits = key.replaceAll(/\s/g, '');
  if (!/^[0-9A-Fa-f]*$/.test(digits)) return 'the key has characters that are not hex digits';
  if (digits.length % 2 === 1) {
    const hint = digits.length === 47 ? "; the vendor's page prints its default key with the leading 0 missing" : '';
    return `the key has an odd number of hex digits (${digits.length})${hint}`;
  }
  const wanted = Object.entries(DIGITS).find(([name]) => name === algorithm)?.[1];
  if (wanted === undefined) return 'neither the line nor its profile says the algorithm of the key';
  return digits.length === wanted ? null : `the key has ${digits.length} hex digits; ${algorithm} has ${wanted}`;
}
