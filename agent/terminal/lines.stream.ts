import { DomainError } from '@cardwright/protocol';
import type { LineSource } from './port.ts';

const LINE_BYTES_MAX = 4096;

/**
 * Lines of standard input for scripts, one at a time and in the order in which the command asks for them. Reads no more
 * of a line than 4096 bytes (`stdin-line-too-long`).
 */
export function linesOf(input: NodeJS.ReadableStream): LineSource {
  let chunks: AsyncIterator<Buffer | string> | undefined;
  let held = Buffer.alloc(0);
  let ended = false;
  return {
    interactive: false,
    close: () => undefined,
    line: async () => {
      chunks ??= input[Symbol.asyncIterator]();
      for (;;) {
        const end = held.indexOf(0x0a);
        if (end > LINE_BYTES_MAX || (end < 0 && held.length > LINE_BYTES_MAX)) {
          throw new DomainError(
            'invalid',
            'stdin-line-too-long',
            `A line on standard input has over ${LINE_BYTES_MAX} bytes.`,
          );
        }
        if (end >= 0 || ended) {
          if (end < 0 && held.length === 0) return null;
          const line = held.subarray(0, end < 0 ? held.length : end).toString('utf8');
          held.fill(0, 0, end < 0 ? held.length : end);
          held = held.subarray(end < 0 ? held.length : end + 1);
          return line.replace(/\r$/, '');
        }
        const next = await chunks.next();
        if (next.done === true) ended = true;
        else held = Buffer.concat([held, Buffer.from(next.value)]);
      }
    },
  };
}
