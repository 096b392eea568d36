import { DomainError } from '@cardwright/protocol';

/** One line of a list, as what it names. */
export interface ListLine {
  /** From 1, as an editor counts. */
  readonly number: number;
  readonly kind: 'serial-number' | 'thumbprint' | 'malformed';
  /** Lower-case hex, a serial number without leading zero bytes; of a malformed line its beginning. */
  readonly value: string;
}

export const MAX_LINES = 100_000;
/** A SHA-256 thumbprint with colons is 95 characters long; a line may carry a few more columns. */
export const MAX_LIST_CHARACTERS = 8_000_000;
const SHOWN = 100;

/** Before the first certificate, a line may say what the column is. */
const HEADER = /^(serial[ _-]?numbers?|serials?|thumbprints?|fingerprints?|sha-?256)$/i;

/**
 * Serial numbers and SHA-256 thumbprints in hex, one a line; of CSV the first column counts (RFC 4180: with or without
 * quotes; comma, semicolon or tab). Colons, spaces and a leading 0x are left out; empty lines and lines that begin with
 * # are none. A line that is none of that is `malformed`, and told of.
 * @throws DomainError (unprocessable) `list-too-long`, `list-empty`.
 */
export function readList(text: string): ListLine[] {
  const lines: ListLine[] = [];
  let number = 0;
  for (const raw of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    number += 1;
    const cell = firstCell(raw);
    if (cell === '' || cell.startsWith('#')) continue;
    if (lines.length === 0 && HEADER.test(cell)) continue;
    if (lines.length === MAX_LINES) {
      throw refused('list-too-long', `The list has more than ${MAX_LINES} lines; send it in parts.`);
    }
    lines.push({ number, ...judge(cell) });
  }
  if (lines.length === 0) throw refused('list-empty', 'The list names no certificate.');
  return lines;
}

function firstCell(raw: string): string {
  const line = raw.trim();
  if (!line.startsWith('"')) return (/^[^,;\t]*/.exec(line)?.[0] ?? '').trim();
  const end = line.indexOf('"', 1);
  return end === -1 ? line : line.slice(1, end).trim();
}

function judge(cell: string): Omit<ListLine, 'number'> {
  const hex = cell.replace(/^0x/i, '').replace(/[\s:]/g, '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: 'thumbprint', value: hex };
  // RFC 5280 section 4.1.2.2: up to 20 octets; a leading zero octet keeps the number positive.
  if (/^[0-9a-f]{1,42}$/.test(hex)) {
    const even = hex.length % 2 === 0 ? hex : `0${hex}`;
    return { kind: 'serial-number', value: even.replace(/^(00)+(?=..)/, '') };
  }
  // PostgreSQL takes no NUL in text.
  return { kind: 'malformed', value: cell.slice(0, SHOWN).replaceAll('\u0000', '') };
}

function refused(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer: '/select/list', detail }] });
}
