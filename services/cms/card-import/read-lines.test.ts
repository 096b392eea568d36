import { describe, expect, it } from 'vitest';
import { whyNotSealed } from './clear-key.ts';
import { MAX_IMPORT_LINES, readImport, readLines } from './read-lines.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const read = async (text: string, format: 'csv' | 'json-lines' = 'csv', size = 7) =>
  (await readImport(pieces(text, size), format)).map(({ line, values }) => [line, values]);

describe('the lines of an import', () => {
  const CSV = '\uFEFFserial,person,device\r\nA-1,ada@example.com,\r\n\r\n"A ""2""\n",b@example.com,"lap, 2"\n';

  it.each([1, 2, 7, 1000])('are the same however the file is cut (%i bytes)', async (size) => {
    expect(await read(CSV.replace('\n",b', '",b'), 'csv', size)).toEqual([
      [2, { serial: 'A-1', person: 'ada@example.com' }],
      [4, { serial: 'A "2"', person: 'b@example.com', device: 'lap, 2' }],
    ]);
    const json = '{"serial":"A-1","person":"ä","device":null}\n\n{"serial":"A-2","person":""}';
    expect(await read(json, 'json-lines', size)).toEqual([
      [1, { serial: 'A-1', person: 'ä' }],
      [3, { serial: 'A-2' }],
    ]);
  });

  it.each([
    ['a column twice', 'serial,person,serial\n'],
    ['no column for the person', 'serial\nA-1\n'],
    ['characters after a quote', 'serial,person\n"A"1,x\n'],
    ['a control character', 'serial,person\nA\u0001,x\n'],
    ['a value that is too long', `serial,person\nA-1,${'x'.repeat(1501)}\n`],
    ['a row that never ends', `serial,person\n"${'x'.repeat(40_000)}`],
  ])('with %s are refused: card-import-malformed', async (_what, text) => {
    await expect(read(text)).rejects.toMatchObject({ kind: 'unprocessable', code: 'card-import-malformed' });
  });

  it('that are not UTF-8 are refused', async () => {
    async function* bytes() {
      yield Uint8Array.from([0x73, 0xff, 0x0a]);
    }
    await expect(readImport(bytes(), 'csv')).rejects.toMatchObject({ code: 'card-import-malformed' });
  });

  it('are at most so many in one import', async () => {
    const rows = (count: number) => `serial,person\n${'A-1,x\n'.repeat(count)}`;
    expect(await read(rows(MAX_IMPORT_LINES), 'csv', 4096)).toHaveLength(MAX_IMPORT_LINES);
    await expect(read(rows(MAX_IMPORT_LINES + 1), 'csv', 4096)).rejects.toMatchObject({
      code: 'card-import-too-large',
    });
  });

  it('of 100,000 cards are read one at a time: the memory in use does not grow with the file', async () => {
    const row = Buffer.from(`IMP-0000000001,imelda@example.com,tdes,${'0'.repeat(48)}\n`.repeat(100));
    async function* file() {
      yield Buffer.from('serial,person,algorithm,administratorKey\n');
      for (let chunk = 0; chunk < 1000; chunk++) yield row;
    }
    let count = 0;
    let most = 0;
    const before = process.memoryUsage().heapUsed;
    for await (const line of readLines(file(), 'csv')) {
      expect(line.values.serial).toBe('IMP-0000000001');
      if (++count % 5000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    expect(count).toBe(100_000);
    console.log(`100,000 lines read with at most ${Math.round(most / 2 ** 20)} MiB of heap more`);
    expect(most).toBeLessThan(64 * 2 ** 20);
  });
});

describe('a key in a file', () => {
  const why = (administratorKey: string, algorithm: string | undefined = 'tdes', puk?: string) =>
    whyNotSealed({ line: 1, values: { administratorKey, ...(puk === undefined ? {} : { puk }) } }, algorithm);

  it('is right in hex digits, with spaces or without', () => {
    expect(why('00 11'.repeat(12))).toBeNull();
    expect(why('0'.repeat(32), 'aes-128')).toBeNull();
    expect(whyNotSealed({ line: 1, values: {} }, undefined)).toBeNull();
  });

  it.each([
    ['0'.repeat(47), 'tdes', /odd number of hex digits \(47\); the vendor's page/],
    ['0'.repeat(46), 'tdes', /has 46 hex digits; tdes has 48/],
    ['g'.repeat(48), 'tdes', /not hex digits/],
    ['0'.repeat(48), undefined, /neither the line nor its profile/],
  ])('is refused with its reason, and without a digit of it', (key, algorithm, expected) => {
    expect(whyNotSealed({ line: 1, values: { administratorKey: key } }, algorithm)).toMatch(expected);
  });

  it('of a PUK is 4 to 127 visible characters', () => {
    expect(why('0'.repeat(48), 'tdes', '12 34')).toMatch(/PUK/);
    expect(why('0'.repeat(48), 'tdes', '123')).toMatch(/PUK/);
  });
});
