import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const beside = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

test('every test that the README names for a trap is there', () => {
  const rows = [...beside('../README.md').matchAll(/^\| (.+) \| `(.+\.test\.ts)` \| `(.+)` \|$/gm)];
  for (const trap of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    expect(rows.filter(([, name]) => name?.startsWith(`${trap},`)).length, `trap ${trap}`).toBeGreaterThan(0);
  }
  const missing = rows.filter(([, , file = '', title = '']) => {
    const source = beside(file.includes('/') ? `../../../${file}` : file);
    return !source.includes(title);
  });
  expect(missing.map(([row]) => row)).toEqual([]);
});
