import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEventExport } from './export.file.ts';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'export-'));
  path = join(folder, 'events.jsonl');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const event = (n: number) => ({
  ...{ id: String(n), time: new Date(1_700_000_000_000 + n).toISOString(), actor: { kind: 'operator', id: 'op' } },
  ...{ action: 'unblock.answered', outcome: 'done', cardId: null, requestId: `r${(n * 7919) % 50_021}`, after: null },
});
const leftOvers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('cardwright-audit-'));

it('is sorted in parts, from events and from pages, and leaves nothing behind', async () => {
  const all = Array.from({ length: 45_000 }, (_, n) => event(n));
  const pages = Array.from({ length: 100 }, (_, n) =>
    JSON.stringify({ items: all.slice(n * 400, n * 400 + 400), next: null }),
  );
  writeFileSync(path, [...pages, ...all.slice(40_000).map((one) => JSON.stringify(one))].join('\n'));
  const before = leftOvers();
  const exported = await openEventExport(path);
  const ids: string[] = [];
  for await (const { requestId } of exported.events) ids.push(requestId);
  await exported.close();
  expect(ids).toEqual(all.map(({ requestId }) => requestId).sort());
  expect([exported.oldest, exported.newest]).toEqual([all[0]?.time, all.at(-1)?.time]);
  expect(leftOvers()).toEqual(before);
});

it.each(['{', '[]', '{}', '{"items":[1]}', JSON.stringify({ ...event(1), requestId: 1 })])(
  'refuses %s',
  async (line) => {
    writeFileSync(path, `${JSON.stringify(event(1))}\n${line}\n`);
    await expect(openEventExport(path)).rejects.toMatchObject({
      code: 'audit-export-malformed',
      detail: expect.stringContaining('Line 2'),
    });
  },
);

it('says when there is no such file', async () => {
  await expect(openEventExport(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
});
