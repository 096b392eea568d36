import { DomainError } from '@cardwright/protocol';
import { decodeLine, lineLengths, RESPONSE_BYTES } from '@cardwright/protocol/challenge';
import type { LineSource, Output } from '../terminal/port.ts';
import { mistyped } from './response.ts';

/**
 * Takes the response a line at a time. A person is told at once of a line that is not right, and types it again; a
 * script gets `response-mistyped`. Throws `response-missing` when the input ends first.
 */
export async function typedResponse(
  source: LineSource,
  output: Output,
  responseBytes = RESPONSE_BYTES,
): Promise<string> {
  const lengths = lineLengths(responseBytes);
  return source.interactive ? await lineByLine(source, output, lengths) : await untilComplete(source, lengths);
}

async function lineByLine(source: LineSource, output: Output, lengths: readonly number[]): Promise<string> {
  const lines: string[] = [];
  for (const [index, length] of lengths.entries()) {
    for (;;) {
      const line = await source.line(`Response, line ${index + 1} of ${lengths.length}`);
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
async function untilComplete(source: LineSource, lengths: readonly number[]): Promise<string> {
  const wanted = lengths.reduce((sum, length) => sum + length, 0);
  const lines: string[] = [];
  let characters = 0;
  while (characters < wanted) {
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
