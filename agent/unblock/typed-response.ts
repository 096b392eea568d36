import { DomainError } from '@cardwright/protocol';
import { decodeLine, lineLengths, RESPONSE_BYTES } from '@cardwright/protocol/challenge';
import type { LineSource, Output } from '../terminal/port.ts';
import { mistyped } from './response.ts';

const LENGTHS = lineLengths(RESPONSE_BYTES);
const CHARACTERS = LENGTHS.reduce((sum, length) => sum + length, 0);

/**
 * Takes the response a line at a time. A person is told at once of a line that is not right, and types it again; a
 * script gets `response-mistyped`. Throws `response-missing` when the input ends first.
 */
export async function typedResponse(source: LineSource, output: Output): Promise<string> {
  return source.interactive ? await lineByLine(source, output) : await untilComplete(source);
}

async function lineByLine(source: LineSource, output: Output): Promise<string> {
  const lines: string[] = [];
  for (const [index, length] of LENGTHS.entries()) {
    for (;;) {
      const line = await source.line(`Response, line ${index + 1} of ${LENGTHS.length}`);
      if (line === null) throw missing();
      if (line.trim() === '') continue;
      const decoded = decodeLine(line, index, length);
      if (decoded.ok) {
        lines.push(line);
        break;
      }
      output.note(`${mistyped(index + 1, decoded.detail).detail} Type it again.`);
    }
  }
  return lines.join('\n');
}

/** However the lines are broken: the response is complete when it has enough characters, or when the input ends. */
async function untilComplete(source: LineSource): Promise<string> {
  const lines: string[] = [];
  let characters = 0;
  while (characters < CHARACTERS) {
    const line = await source.line('Response');
    if (line === null) break;
    if (line.trim() === '') continue;
    lines.push(line);
    characters += line.replace(/[\s-]/g, '').length;
  }
  if (lines.length === 0) throw missing();
  return lines.join('\n');
}

const missing = () =>
  new DomainError('invalid', 'response-missing', 'The input ended before the response was given. Nothing was changed.');
