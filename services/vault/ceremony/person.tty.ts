import { createInterface } from 'node:readline';

/** The people at the ceremony. */
export interface Person {
  /** Shows this alone, waits for Enter, and takes it from the screen. False when nobody answers any more. */
  showOnce(lines: readonly string[]): Promise<boolean>;
  /** All that is typed, up to a line with nothing but a full stop, or the end of the input. */
  readAll(maxCharacters: number): Promise<string>;
  end(): void;
}

/** On a terminal what was shown is wiped, with what can be scrolled back to; a pipe is read and written as it is. */
export function personAt(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Person {
  const reader = createInterface({ input, terminal: false });
  const lines = reader[Symbol.asyncIterator]();
  return {
    async showOnce(shown) {
      output.write(`${shown.join('\n')}\n`);
      const answer = await lines.next();
      // Clear the screen, clear what was scrolled off it, and go to its top (ECMA-48 ED; 3J is xterm's).
      if (output.isTTY) output.write('\u001b[2J\u001b[3J\u001b[H');
      return answer.done !== true;
    },
    async readAll(maxCharacters) {
      let text = '';
      for (;;) {
        const { done, value } = await lines.next();
        if (done === true || value.trim() === '.') return text;
        text += `${value}\n`;
        if (text.length > maxCharacters) return text;
      }
    },
    end: () => reader.close(),
  };
}
