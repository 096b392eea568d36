import { DomainError } from '@cardwright/protocol';

/** One row with the line of the file on which it begins, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/** A row longer than this is no row of ours: a quote that is never closed would else swallow the file. */
const MAX_ROW_CHARACTERS = 32_768;

/**
 * RFC 4180, piece by piece: quoted fields, doubled quotes, CRLF or LF. Holds one row at a time.
 * @throws DomainError `card-import-malformed` (unprocessable), with the line.
 */
export class CsvReader {
  #line = 1;
  #begin = 1;
  #field = '';
  #fields: string[] = [];
  #quoted = false;
  #afterQuote = false;
  #size = 0;

  *read(text: string): Generator<CsvRow> {
    for (const character of text) {
      if (++this.#size > MAX_ROW_CHARACTERS) throw this.#malformed('is too long; a quote may not have been closed');
      if (this.#quoted && !this.#afterQuote) this.#inQuotes(character);
      else if (character === '"' && (this.#afterQuote || this.#field === '')) this.#quote();
      else if (character === ',') this.#endField();
      else if (character === '\n') yield* this.#endRow();
      else if (character !== '\r') this.#plain(character);
    }
  }

  /** The last row may have no line end. */
  *end(): Generator<CsvRow> {
    if (this.#quoted && !this.#afterQuote) throw this.#malformed('has a quote that is not closed');
    if (this.#field !== '' || this.#fields.length > 0) yield* this.#endRow();
  }

  #inQuotes(character: string): void {
    if (character === '"') this.#afterQuote = true;
    else this.#field += character;
    if (character === '\n') this.#line += 1;
  }

  #quote(): void {
    if (this.#afterQuote) this.#field += '"';
    this.#quoted = true;
    this.#afterQuote = false;
  }

  #plain(character: string): void {
    if (this.#afterQuote) throw this.#malformed('has characters after a closing quote');
    this.#field += character;
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#quoted = false;
    this.#afterQuote = false;
  }

  *#endRow(): Generator<CsvRow> {
    this.#endField();
    const row = { line: this.#begin, fields: this.#fields };
    this.#fields = [];
    this.#size = 0;
    this.#line += 1;
    this.#begin = this.#line;
    if (row.fields.some((field) => field.trim() !== '')) yield row;
  }

  #malformed(what: string): DomainError {
    return new DomainError('unprocessable', 'card-import-malformed', `Line ${this.#begin} ${what}.`);
  }
}
