import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, limitOf, NUMBER_KEY, pageOf, UUID_KEY } from './cursor.ts';

const key = '0199f2a0-3333-7000-8000-000000000003';

describe('a cursor', () => {
  it('comes back as the key that it was made of', () => {
    expect(decodeCursor(encodeCursor(key), UUID_KEY)).toBe(key);
    expect(decodeCursor(encodeCursor('42'), NUMBER_KEY)).toBe('42');
    expect(decodeCursor(undefined, UUID_KEY)).toBeNull();
  });

  it.each([encodeCursor(`${key}' OR 1=1`), encodeCursor('42'), 'not base64!', ''])(
    'of another form is refused: %j',
    (cursor) => {
      expect(() => decodeCursor(cursor, UUID_KEY)).toThrow(
        expect.objectContaining({
          code: 'field-invalid',
          fields: [{ pointer: '/query/cursor', detail: expect.any(String) }],
        }),
      );
    },
  );
});

describe('a page', () => {
  const page = (count: number, limit: number) =>
    pageOf(
      Array.from({ length: count }, (_, i) => i),
      limit,
      String,
      (row) => row * 10,
    );

  it('says whether there is a next one by the row more that was asked for', () => {
    expect(page(3, 2)).toEqual({ items: [0, 10], next: encodeCursor('1') });
    expect(page(2, 2)).toEqual({ items: [0, 10], next: null });
    expect(page(0, 2)).toEqual({ items: [], next: null });
  });

  it('has at most two hundred items, and fifty when nobody says', () => {
    expect(limitOf({ limit: 1000 })).toBe(200);
    expect(limitOf({})).toBe(50);
  });
});
