/**
 * What keys do to a hidden line. Pure: bytes of a raw terminal go in, and a line comes out. Backspace takes a whole
 * character, Ctrl-U the line; arrow and function keys (escape sequences) are dropped, since a PIN with one in it could
 * not be typed elsewhere.
 */
export type KeyResult =
  | { readonly done: false }
  | { readonly done: true; readonly end: 'line'; readonly line: string }
  | { readonly done: true; readonly end: 'input' | 'interrupt' };

const LONGEST = 512;

export class HiddenLineEditor {
  #characters: string[] = [];
  #escape: 'none' | 'begun' | 'sequence' = 'none';

  /** Takes decoded text as it comes. What follows the line's end is not looked at. */
  type(text: string): KeyResult {
    for (const character of text) {
      if (this.#inEscape(character)) continue;
      switch (character) {
        case '\r':
        case '\n':
          return { done: true, end: 'line', line: this.#characters.join('') };
        case '\u0003':
          return { done: true, end: 'interrupt' };
        case '\u0004':
          if (this.#characters.length === 0) return { done: true, end: 'input' };
          break;
        case '\u0008':
        case '\u007f':
          this.#characters.pop();
          break;
        case '\u0015':
          this.#characters = [];
          break;
        case '\u001b':
          this.#escape = 'begun';
          break;
        default:
          if (!/\p{Cc}/u.test(character) && this.#characters.length < LONGEST) this.#characters.push(character);
      }
    }
    return { done: false };
  }

  /** ECMA-48 5.4: ESC, and for `[` (CSI) or `O` (SS3) all up to a final byte. Ctrl-C and Enter always get through. */
  #inEscape(character: string): boolean {
    if (this.#escape === 'none') return false;
    if (character === '\u0003' || character === '\r' || character === '\n') {
      this.#escape = 'none';
      return false;
    }
    if (this.#escape === 'begun' && (character === '[' || character === 'O')) this.#escape = 'sequence';
    else if (this.#escape === 'begun' || (character >= '@' && character <= '~')) this.#escape = 'none';
    return true;
  }
}
