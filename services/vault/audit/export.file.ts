import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DomainError } from '@cardwright/protocol';
import { type CmsEvent, compareText } from './compare.ts';

/** Events that are sorted in memory at once; more are sorted in parts that are merged. */
const PART = 20_000;

/**
 * An export of cms's audit log, sorted by request id: a file with a JSON text in each line, either an event as
 * `GET /api/v1/audit/events` gives it, or a whole page of them.
 */
export interface EventExport {
  readonly events: AsyncIterable<CmsEvent>;
  /** RFC 3339, UTC; null when the file is empty. Uses outside of it are not in the export's window. */
  readonly oldest: string | null;
  readonly newest: string | null;
  close(): Promise<void>;
}

/** @throws DomainError `audit-export-malformed` (unprocessable), naming the line. */
export async function openEventExport(path: string): Promise<EventExport> {
  const folder = await mkdtemp(join(tmpdir(), 'cardwright-audit-'));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const parts: string[] = [];
    let [oldest, newest]: [string | null, string | null] = [null, null];
    let held: CmsEvent[] = [];
    const flush = async () => {
      if (held.length === 0) return;
      const part = join(folder, String(parts.length));
      await writePart(part, held.sort(byRequest));
      parts.push(part);
      held = [];
    };
    for await (const event of readEvents(path)) {
      if (oldest === null || event.time < oldest) oldest = event.time;
      if (newest === null || event.time > newest) newest = event.time;
      held.push(event);
      if (held.length >= PART) await flush();
    }
    await flush();
    return { events: merge(parts.map(readPart)), oldest, newest, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const byRequest = (a: CmsEvent, b: CmsEvent) => compareText(a.requestId, b.requestId);

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path, 'utf8');
  // Without this an error of the stream would not reach the loop below.
  const failed = once(input, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done === true) return;
    yield value;
  }
}

async function* readEvents(path: string): AsyncGenerator<CmsEvent> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    if (line.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw malformed(number, cause);
    }
    const page = (value as { items?: unknown } | null)?.items;
    for (const item of Array.isArray(page) ? page : [value]) {
      const event = toEvent(item);
      if (event === undefined) throw malformed(number);
      yield event;
    }
  }
}

function toEvent(value: unknown): CmsEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, time, actor, action, outcome, cardId, requestId, after } = value as Record<string, unknown>;
  const actorId = (actor as { id?: unknown } | null | undefined)?.id;
  const digest = (after as { challengeDigest?: unknown } | null | undefined)?.challengeDigest;
  if (typeof id !== 'string' || typeof time !== 'string' || typeof actorId !== 'string') return undefined;
  if (typeof action !== 'string' || typeof outcome !== 'string' || typeof requestId !== 'string') return undefined;
  if (cardId !== null && typeof cardId !== 'string') return undefined;
  const challengeDigest = typeof digest === 'string' ? digest : null;
  return { id, time, actorId, action, outcome, cardId, requestId, challengeDigest, settled: true };
}

async function writePart(path: string, events: readonly CmsEvent[]): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 });
  for (const event of events) if (!file.write(`${JSON.stringify(event)}\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

async function* readPart(path: string): AsyncGenerator<CmsEvent> {
  for await (const line of linesOf(path)) yield JSON.parse(line) as CmsEvent;
}

/** Few parts (one for each 20,000 events), so the least of their heads is looked for each time. */
async function* merge(parts: AsyncGenerator<CmsEvent>[]): AsyncGenerator<CmsEvent> {
  const heads = await Promise.all(parts.map(async (part) => ({ part, now: await part.next() })));
  for (;;) {
    let least: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.now.done === true) continue;
      if (least === undefined || byRequest(head.now.value, least.now.value as CmsEvent) < 0) least = head;
    }
    if (least === undefined) return;
    yield least.now.value as CmsEvent;
    least.now = await least.part.next();
  }
}

function malformed(line: number, cause?: unknown): DomainError {
  return new DomainError(
    'unprocessable',
    'audit-export-malformed',
    `Line ${line} of the export is neither an event of GET /api/v1/audit/events nor a page of them.`,
    { cause },
  );
}
