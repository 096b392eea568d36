import { DomainError } from '@cardwright/protocol';

/**
 * Keyset cursors. The text is opaque to callers: the key of the last item, in base64url. It is no secret and gives no
 * right: a list applies its filters and the caller's permissions on every page.
 */
export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

export function encodeCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** The key in a cursor, if it has the form that the list uses. */
export function decodeCursor(cursor: string | undefined, form: RegExp): string | null {
  if (cursor === undefined) return null;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!form.test(key)) {
    const detail = 'The cursor is not one that this list gave. Send `next` of the page before, unchanged.';
    throw new DomainError('invalid', 'field-invalid', detail, { fields: [{ pointer: '/query/cursor', detail }] });
  }
  return key;
}

export const UUID_KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Of lists in the order of a time: the time, and the id of what has it. */
export const TIME_AND_UUID_KEY = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const NUMBER_KEY = /^[0-9]{1,18}$/;

export function limitOf(request: PageRequest): number {
  return Math.min(request.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
}

/** Makes a page of up to `limit` items from up to `limit + 1` rows: the one more says whether there is a next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null;
  return { items: shown.map(toItem), next };
}
