import { DomainError } from '@cardwright/protocol';

/** What a line may say, as column or as property. */
export const COLUMNS = [
  'serial',
  'person',
  'device',
  'cardProfile',
  'algorithm',
  'challengeMode',
  'administratorKey',
  'diversifier',
  'keyCheckValue',
  'puk',
  'takeOver',
] as const;
export type Column = (typeof COLUMNS)[number];

/** One card. An empty field is one that is not there. */
export interface ImportLine {
  /** Of the file, from 1. */
  readonly line: number;
  readonly values: Readonly<Partial<Record<Column, string>>>;
}

/** A sealed key takes some 600 characters. */
const MAX_VALUE = 1500;

/** @throws DomainError `card-import-malformed` (unprocessable): an unknown or doubled column, or none for the serial. */
export function columnsOf(header: readonly string[]): readonly Column[] {
  const columns = header.map((name) => {
    const found = COLUMNS.find((column) => column === name.trim().replace(/^\uFEFF/, ''));
    if (found === undefined) throw malformed(1, `names a column that is not known; known are: ${COLUMNS.join(', ')}`);
    return found;
  });
  if (new Set(columns).size !== columns.length) throw malformed(1, 'names a column twice');
  for (const needed of ['serial', 'person'] as const) {
    if (!columns.includes(needed)) throw malformed(1, `names no column ${needed}`);
  }
  return columns;
}

export function lineOfRow(columns: readonly Column[], line: number, fields: readonly string[]): ImportLine {
  if (fields.length !== columns.length) {
    throw malformed(line, `has ${fields.length} fields; the first line names ${columns.length}`);
  }
  return checked(line, Object.fromEntries(columns.map((column, at) => [column, fields[at]?.trim() ?? ''])));
}

/** JSON lines: one object a line. */
export function lineOfJson(line: number, text: string): ImportLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(line, 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(line, 'is not an object');
  for (const [name, field] of Object.entries(value)) {
    if (!COLUMNS.some((column) => column === name)) throw malformed(line, 'has a field that is not known');
    if (typeof field !== 'string' && field !== null) throw malformed(line, `has a ${name} that is not text`);
  }
  return checked(line, value as Record<string, string | null>);
}

function checked(line: number, given: Readonly<Record<string, string | null>>): ImportLine {
  const values = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== ''));
  for (const [name, value] of Object.entries(values)) {
    // Never shown: a mistake may have put a key anywhere.
    if ((value ?? '').length > MAX_VALUE || /\p{Cc}/u.test(value ?? '')) {
      throw malformed(line, `has a ${name} that is too long, or has control characters`);
    }
  }
  return { line, values: values as ImportLine['values'] };
}

function malformed(line: number, what: string): DomainError {
  return new DomainError('unprocessable', 'card-import-malformed', `Line ${line} ${what}.`, { data: { line } });
}
