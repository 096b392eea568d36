import { expect, it } from 'vitest';
import { printable, table } from './printable.ts';

it('shows what others wrote without letting it drive the terminal', () => {
  expect(printable('a\u001b[2Jb\u0007\r\u009b\u202ec\nd')).toBe('a\ufffd[2Jb\ufffd\ufffd\ufffd\ufffdc\nd');
  expect(printable('Zoë 😀 日本')).toBe('Zoë 😀 日本');
});

it('lines columns up', () => {
  expect(
    table([
      ['a', 'bb', 'c'],
      ['😀aa', 'b', 'c'],
    ]),
  ).toBe('a    bb  c\n😀aa  b   c');
});
