import { DomainError } from '@cardwright/protocol';
import { CsvReader } from './csv.ts';
import { type Column, columnsOf, type ImportLine, lineOfJson, lineOfRow } from './line.ts';

/** What one import may hold: the vault takes no more in one statement. A larger file is sent as several imports. */
export const MAX_IMPORT_LINES = 500;
export const MAX_IMPORT_BYTES = 2 * 1024 * 1024;

export type Format = 'csv' | 'json-lines';

/**
 * Reads lines as they come, holding one at a time.
 * @throws DomainError `card-import-malformed` (unprocessable).
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  format: Format,
): AsyncGenerator<ImportLine, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new DomainError('unprocessable', 'card-import-malformed', 'The file is not UTF-8.', { cause });
    }
  };
  const reader = format === 'csv' ? csvLines() : jsonLines();
  for await (const chunk of chunks) yield* reader.read(decode(chunk));
  yield* reader.read(decode());
  yield* reader.end();
}

/** The same, whole and bounded: for one import. @throws also `card-import-too-large`, `card-import-empty`. */
export async function readImport(chunks: AsyncIterable<Uint8Array>, format: Format): Promise<readonly ImportLine[]> {
  let bytes = 0;
  async function* bounded() {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > MAX_IMPORT_BYTES) throw tooLarge();
      yield chunk;
    }
  }
  const lines: ImportLine[] = [];
  for await (const line of readLines(bounded(), format)) {
    if (lines.push(line) > MAX_IMPORT_LINES) throw tooLarge();
  }
  if (lines.length > 0) return lines;
  throw new DomainError('unprocessable', 'card-import-empty', 'There is no card in this import.');
}

interface LineReader {
  read(text: string): Generator<ImportLine>;
  end(): Generator<ImportLine>;
}

function csvLines(): LineReader {
  const csv = new CsvReader();
  let columns: readonly Column[] | undefined;
  function* take(rows: ReturnType<CsvReader['read']>): Generator<ImportLine> {
    for (const { line, fields } of rows) {
      if (columns === undefined) columns = columnsOf(fields);
      else yield lineOfRow(columns, line, fields);
    }
  }
  return { read: (text) => take(csv.read(text)), end: () => take(csv.end()) };
}

function jsonLines(): LineReader {
  let rest = '';
  let number = 0;
  function* take(text: string): Generator<ImportLine> {
    number += 1;
    if (text.trim() !== '') yield lineOfJson(number, text);
  }
  return {
    *read(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_IMPORT_BYTES) throw tooLarge();
      for (const line of lines) yield* take(line);
    },
    *end() {
      if (rest !== '') yield* take(rest);
    },
  };
}

function tooLarge(): DomainError {
  const detail = `One import has at most ${MAX_IMPORT_LINES} cards and ${MAX_IMPORT_BYTES} bytes. Send the rest as another.`;
  return new DomainError('unprocessable', 'card-import-too-large', detail);
}
