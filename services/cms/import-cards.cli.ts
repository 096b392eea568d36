import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isDomainError } from '@cardwright/protocol';
import { whyNotSealed } from './card-import/clear-key.ts';
import type { ImportLine } from './card-import/line.ts';
import { MAX_IMPORT_LINES, readLines } from './card-import/read-lines.ts';
import { type Call, createCall } from './card-import/rest.http.ts';
import { createSeal, type Seal } from './card-import/seal.jose.ts';

const USAGE = `usage: import-cards.cli.js --url URL --token-file FILE --file CARDS.csv [--dry-run] [--accept-duplicates]
         [--batch 1..${MAX_IMPORT_LINES}]
Takes existing cards under management. The file has the columns serial, person (user principal name) and, as needed:
device, cardProfile, algorithm, challengeMode, administratorKey (hex), diversifier, keyCheckValue, puk,
takeOver (yes or no). Or it is JSON
lines (.jsonl, .ndjson) with these names. Keys and PUKs are sealed here, to the vault: nobody else sees them. All of a
batch is taken in, or none of it; run it again after an interruption, and it goes on where it was.`;

interface Report {
  readonly line: number;
  readonly serial: string | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly duplicate: boolean;
}

interface Options {
  readonly file: string;
  readonly dryRun: boolean;
  readonly acceptDuplicates: boolean;
  readonly batch: number;
}

const format = (file: string) => (/\.(jsonl|ndjson)$/i.test(file) ? 'json-lines' : 'csv');

async function* batches(file: string, size: number): AsyncGenerator<readonly ImportLine[]> {
  let lines: ImportLine[] = [];
  for await (const line of readLines(createReadStream(file), format(file))) {
    if (lines.push(line) < size) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

/** The whole file, before anything is sent. Gives how many cards there are. */
async function checkFile(file: string, algorithmOf: (line: ImportLine) => string | undefined): Promise<number> {
  let [cards, wrong] = [0, 0];
  for await (const line of readLines(createReadStream(file), format(file))) {
    cards += 1;
    const why = whyNotSealed(line, algorithmOf(line));
    if (why === null) continue;
    wrong += 1;
    console.error(`line ${line.line}: ${why}`);
  }
  if (wrong > 0) throw new Error(`${wrong} of ${cards} lines are wrong; nothing was sent`);
  return cards;
}

/** The same lines have the same id, so that a batch sent again is the same import. Of what is secret nothing is in it. */
function idOf(lines: readonly ImportLine[]): string {
  const open = lines.map(({ values: { administratorKey: _key, puk: _puk, ...rest } }) => rest);
  const hash = createHash('sha256').update(JSON.stringify(open)).digest();
  // RFC 9562 section 5.8: version 8, of our own making.
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.subarray(0, 16).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

async function sealed(seal: Seal, { values }: ImportLine): Promise<string> {
  const { administratorKey, puk, ...rest } = values;
  const serial = values.serial ?? '';
  return JSON.stringify({
    ...rest,
    ...(administratorKey === undefined
      ? {}
      : { administratorKey: await seal(administratorKey.replaceAll(/\s/g, ''), serial, 'administrator-key') }),
    ...(puk === undefined ? {} : { puk: await seal(puk, serial, 'puk') }),
  });
}

/** Sends one batch and waits for its end. Gives its state. */
async function send(call: Call, seal: Seal, lines: readonly ImportLine[], options: Options): Promise<string> {
  const id = idOf(lines);
  const before = options.dryRun ? null : await call('GET', `/card-imports/${id}`);
  let found = before?.status === 200 && before.body.state !== 'refused' ? before.body : null;
  if (found === null) {
    const body = (await Promise.all(lines.map((line) => sealed(seal, line)))).join('\n');
    const query = `id=${id}&dryRun=${options.dryRun}&acceptDuplicates=${options.acceptDuplicates}`;
    const answer = await call('POST', `/card-imports?${query}`, body);
    if (answer.status >= 300) throw new Error(`refused: ${String(answer.body.code)}: ${String(answer.body.detail)}`);
    found = answer.body;
  }
  const deadline = Date.now() + 10 * 60_000;
  while (found.state === 'proposed') {
    if (Date.now() > deadline) throw new Error('the server has not finished a batch; run this again later');
    await sleep(100);
    found = (await call('GET', `/card-imports/${id}`)).body;
  }
  for (const [at, report] of ((found.report ?? []) as readonly Report[]).entries()) {
    const where = `line ${lines[at]?.line ?? report.line} (${report.serial ?? 'no serial'})`;
    if (report.code !== null) console.error(`${where}: ${report.code}: ${report.detail}`);
    else if (report.duplicate) console.error(`${where}: another card has the same key`);
  }
  return String(found.state);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      'token-file': { type: 'string' },
      file: { type: 'string' },
      batch: { type: 'string', default: String(MAX_IMPORT_LINES) },
      'dry-run': { type: 'boolean', default: false },
      'accept-duplicates': { type: 'boolean', default: false },
    },
  });
  const { url, file, 'token-file': tokenFile } = values;
  const batch = Number(values.batch);
  if (!url || !file || !tokenFile || !Number.isInteger(batch) || batch < 1 || batch > MAX_IMPORT_LINES) {
    console.error(USAGE);
    return 2;
  }
  const options = { file, batch, dryRun: values['dry-run'], acceptDuplicates: values['accept-duplicates'] };
  const call = createCall(url.replace(/\/$/, ''), (await readFile(tokenFile, 'utf8')).trim());
  const [profiles, importKey] = [await call('GET', '/card-profiles'), await call('GET', '/vault/import-key')];
  if (importKey.status !== 200) throw new Error(`the server refused: ${String(importKey.body.detail)}`);
  const views = profiles.body.items as readonly { readonly name: string; readonly algorithm: string }[];
  const algorithms = new Map(views.map(({ name, algorithm }) => [name, algorithm]));
  const algorithmOf = (line: ImportLine) => line.values.algorithm ?? algorithms.get(line.values.cardProfile ?? '');
  const cards = await checkFile(file, algorithmOf);
  const seal = await createSeal(importKey.body.jwk as Parameters<typeof createSeal>[0]);
  let [done, refused] = [0, 0];
  for await (const lines of batches(file, batch)) {
    const state = await send(call, seal, lines, options);
    if (state === 'refused') refused += lines.length;
    else done += lines.length;
    console.log(
      `${done + refused} of ${cards} cards: ${done} ${options.dryRun ? 'right' : 'taken in'}, ${refused} not`,
    );
  }
  return refused === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(isDomainError(error) ? error.detail : error instanceof Error ? error.message : 'failed');
  process.exitCode = 1;
}
