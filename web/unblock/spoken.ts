/**
 * The words in which a code is read over a telephone, one for each character; white space and hyphens are silent.
 * @param words a word for each upper-case letter and digit
 */
export function spokenWords(text: string, words: Readonly<Record<string, string>>): string[] {
  return [...text.toUpperCase()]
    .filter((character) => !/[\s-]/.test(character))
    .map((character) => words[character] ?? character);
}
